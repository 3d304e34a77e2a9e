import { type ContentCoding } from "@usage-stats/core";

/** A coding's weight: `gzip;q=0.5` (RFC 9110, 12.4.2). */
const WEIGHTED = /^([!#$%&'*+.^_`|~\w-]+)[\t ]*(?:;[\t ]*q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)[\t ]*)?$/i;

/**
 * Chooses the content coding of a response among those that there are, the best first; `null` for the plain text (RFC 9110, 12.5.3). What
 * `Accept-Encoding` weighs most is chosen, of equals the first that there is, and the plain text where it weighs more or nothing
 * else is taken. A member that cannot be read counts for nothing.
 */
export function chooseContentCoding(
  acceptEncoding: string | undefined,
  available: readonly ContentCoding[],
): ContentCoding | null {
  if (acceptEncoding === undefined || available.length === 0) return null;
  const weights = weightsOf(acceptEncoding);
  const others = weights.get("*") ?? 0;
  let best: ContentCoding | null = null;
  let most = weights.get("identity") ?? others;
  for (const coding of available) {
    const weight = weights.get(coding) ?? others;
    if (weight === 0 || weight < most || (weight === most && best !== null)) continue;
    best = coding;
    most = weight;
  }
  return best;
}

/** Whether the plain text itself is refused, so that even what is short has to be compressed. */
export function refusesPlain(acceptEncoding: string | undefined): boolean {
  if (acceptEncoding === undefined || !acceptEncoding.includes("0")) return false;
  const weights = weightsOf(acceptEncoding);
  return (weights.get("identity") ?? weights.get("*") ?? 1) === 0;
}

function weightsOf(acceptEncoding: string): Map<string, number> {
  const weights = new Map<string, number>();
  for (const member of acceptEncoding.toLowerCase().split(",")) {
    const [, coding, weight = "1"] = WEIGHTED.exec(member.trim()) ?? [];
    // x-gzip is gzip (RFC 9110, 8.4.1.3).
    if (coding !== undefined) weights.set(coding === "x-gzip" ? "gzip" : coding, Number(weight));
  }
  return weights;
}
