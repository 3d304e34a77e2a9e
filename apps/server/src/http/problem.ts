import { publicError } from "@usage-stats/api";
import { type Context } from "hono";
import { HTTPException } from "hono/http-exception";
import { type ContentfulStatusCode } from "hono/utils/http-status";
import { type AppEnv } from "./request-variables.ts";

export type Problem = {
  status: number;
  title: string;
  code: string;
  detail: string;
  field?: string;
  limit?: string;
  /** Of what may go well later. */
  retryAfterSeconds?: number;
};

/** Answers with problem details (RFC 9457), a stable `code` and the request's id. */
export function problem(
  context: Context<AppEnv>,
  { status, title, code, detail, retryAfterSeconds, ...rest }: Problem,
): Response {
  const retryAfter = retryAfterSeconds ?? (status === 503 ? 1 : undefined);
  return context.json(
    { type: "about:blank", title, status, detail, code, ...rest, requestId: context.get("requestId") },
    status as ContentfulStatusCode,
    {
      "content-type": "application/problem+json",
      ...(status === 401 && { "www-authenticate": "Bearer" }),
      ...(retryAfter !== undefined && { "retry-after": String(retryAfter) }),
    },
  );
}

/** The problem that tells of any error; only what is unknown is logged, by the caller. */
export function problemOf(error: unknown): Problem {
  if (error instanceof HTTPException) {
    return {
      status: error.status,
      title: "Request refused",
      code: "invalid_request",
      detail: error.message || "The request was refused.",
    };
  }
  const { message, ...told } = publicError(error);
  return { ...told, detail: message };
}
