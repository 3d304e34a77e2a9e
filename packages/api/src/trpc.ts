import { initTRPC, type TRPCError } from "@trpc/server";
import { UsageStatsError } from "@usage-stats/core";
import superjson from "superjson";
import * as z from "zod";
import { type GuardedOperation } from "./access.ts";
import { type RequestContext } from "./context.ts";
import { inputError, publicError, toTrpcError } from "./errors.ts";
import { serializeOutput } from "./serialize-output.ts";

// Input stays plain JSON: an 82-byte superjson body can make a server reserve 16 GB. Output carries Dates.
const transformer = {
  input: { serialize: (value: unknown) => value, deserialize: (value: unknown) => value },
  output: { serialize: serializeOutput, deserialize: superjson.deserialize },
};

const t = initTRPC.context<RequestContext>().create({
  transformer,
  errorFormatter({ shape, error, ctx }) {
    // Errors that tRPC itself finds (no such procedure, too many calls) are its own words about the request: safe to show, unless
    // something below it said why.
    const { cause } = error;
    const shown = publicError(
      isUnreadable(error)
        ? new UsageStatsError("bad_json", "The input is not JSON.")
        : error.code !== "INTERNAL_SERVER_ERROR" && cause === undefined
          ? new UsageStatsError("invalid_request", error.message)
          : cause instanceof z.ZodError
            ? inputError(cause)
            : cause,
    );
    const { path, httpStatus, code } = shape.data;
    return {
      message: shown.message,
      code: shape.code,
      data: {
        code,
        httpStatus,
        ...(path !== undefined && { path }),
        appCode: shown.code,
        ...(shown.field !== undefined && { field: shown.field }),
        ...(shown.limit !== undefined && { limit: shown.limit }),
        ...(ctx && { requestId: ctx.requestId }),
      },
    };
  },
});

function isUnreadable({ code, cause }: TRPCError): boolean {
  return cause instanceof SyntaxError || (code === "PARSE_ERROR" && !(cause instanceof UsageStatsError));
}

export const { router } = t;

/** A procedure that takes the scope of its operation. Identity comes before input, so that a stranger learns nothing from how input is checked. */
export function procedure(operation: GuardedOperation) {
  return t.procedure.use(async ({ ctx, next }) => {
    const identity = await ctx.admit(operation).catch((error: unknown) => Promise.reject(toTrpcError(error)));
    const result = await next({ ctx: { identity } });
    if (!result.ok) throw toTrpcError(result.error);
    return result;
  });
}
