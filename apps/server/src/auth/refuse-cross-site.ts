import { UsageStatsError } from "@usage-stats/core";

/**
 * Throws `csrf` for a write that a browser sends on behalf of another site: cookies travel with it, whatever its body is.
 * By Fetch Metadata, and by `Origin` for browsers that do not send it (OWASP, Cross-Site Request Forgery Prevention). A write
 * that tells neither is refused too; programs use bearer tokens.
 */
export function refuseCrossSite(request: { method: string; url: string; headers: Headers }): void {
  if (request.method === "GET" || request.method === "HEAD") return;
  const site = request.headers.get("sec-fetch-site");
  const isOwn = site === null ? isOwnOrigin(request) : site === "same-origin";
  if (!isOwn)
    throw new UsageStatsError("csrf", "Changes by cookie are only accepted from this site's own pages.");
}

/** By host alone: behind a proxy that ends TLS the server does not know the scheme. */
function isOwnOrigin({ url, headers }: { url: string; headers: Headers }): boolean {
  const origin = headers.get("origin");
  if (origin === null || !URL.canParse(origin)) return false;
  return new URL(origin).host === (headers.get("host") ?? new URL(url).host);
}
