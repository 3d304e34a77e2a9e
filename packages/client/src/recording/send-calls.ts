import { retryAfterMs } from "./retry-delay.ts";

/** What became of a request. */
export type Verdict =
  /** The server settled every call; by its index, why it rejected one. */
  | { kind: "settled"; rejected: Map<number, Rejection> }
  /** The request as a whole is at fault, and will be however often it is sent. */
  | { kind: "refused"; rejection: Rejection }
  /** Nobody knows, or it may go well another time. */
  | { kind: "failed"; failure: SendFailure };

export type Rejection = { field: string; reason: string };

export type SendFailure = {
  message: string;
  /** The answer's HTTP status; `null` where there was none. */
  status: number | null;
  /** The server's stable code, such as `invalid_key`; `null` where it gave none. */
  code: string | null;
  /** What the server asked for in `Retry-After`. */
  retryAfterMs: number | null;
  cause?: unknown;
};

export type Sending = {
  /** Where calls are recorded. */
  url: URL;
  token: string | (() => string | Promise<string>);
  fetch: typeof globalThis.fetch;
  signal: AbortSignal;
};

const AT_FAULT_ITSELF = new Set([400, 413, 422]);

/** Sends calls, each of them JSON, once. Never throws. */
export async function sendCalls(calls: readonly string[], sending: Sending): Promise<Verdict> {
  try {
    const { url, token, fetch, signal } = sending;
    const authorization = `Bearer ${typeof token === "string" ? token : await token()}`;
    const response = await fetch(url, {
      method: "POST",
      headers: { authorization, "content-type": "application/json" },
      body: `[${calls.join(",")}]`,
      // A POST that is sent elsewhere may arrive as a GET.
      redirect: "manual",
      signal,
    });
    return verdictOf(response, parsed(await response.text()), calls.length);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    return { kind: "failed", failure: { message, status: null, code: null, retryAfterMs: null, cause } };
  }
}

function verdictOf({ ok, status, headers }: Response, body: unknown, count: number): Verdict {
  const rejected = ok ? rejectionsOf(body, count) : null;
  if (rejected !== null) return { kind: "settled", rejected };
  const code = textOf(body, "code");
  const said = ok ? "the answer is not that of a usage-stats server" : textOf(body, "detail");
  const message = said ?? `the server answered ${status}`;
  if (AT_FAULT_ITSELF.has(status))
    return { kind: "refused", rejection: { field: textOf(body, "field") ?? "", reason: message } };
  return { kind: "failed", failure: { message, status, code, retryAfterMs: retryAfterMs(headers) } };
}

/** `null` for an answer that does not tell of every call once: what it leaves out may not have been recorded. */
function rejectionsOf(body: unknown, count: number): Map<number, Rejection> | null {
  const results = property(body, "results");
  if (!Array.isArray(results)) return null;
  const answered = new Set<number>();
  const rejected = new Map<number, Rejection>();
  for (const result of results as unknown[]) {
    const index = property(result, "index");
    const outcome = property(result, "outcome");
    if (!isIndex(index, count) || typeof outcome !== "string") return null;
    answered.add(index);
    if (outcome !== "rejected") continue;
    rejected.set(index, {
      field: textOf(result, "field") ?? "",
      reason: textOf(result, "reason") ?? "The server rejected it.",
    });
  }
  return answered.size === count ? rejected : null;
}

function isIndex(value: unknown, count: number): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) < count;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function textOf(value: unknown, name: string): string | null {
  const text = property(value, name);
  return typeof text === "string" ? text : null;
}

function property(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
