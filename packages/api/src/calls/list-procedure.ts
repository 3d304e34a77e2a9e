import { type CallList, listCalls, type ListCallsQuery } from "@usage-stats/core";
import { type Unauthorized } from "../usage/read-usage.ts";
import { type AdmittedContext } from "../context.ts";
import { allowFilter, type Identity, resolveUser } from "@usage-stats/identity";
import { originOf } from "../input/call-origin.ts";
import { listCallsInput } from "./list-input.ts";
import { procedure } from "../trpc.ts";

/** One user's calls, newest first: the caller's own, or anyone's for those who may read anyone's. */
export const list = procedure("modelCalls.list")
  .input(listCallsInput)
  .query(({ ctx, input: { keyId, runId, conversationId, tags, ...asked } }) =>
    readCallList(ctx, {
      ...asked,
      origin: originOf({ keyId, runId, conversationId, tags }),
      withVoided: true,
    }),
  );

/** Reads a page of one user's calls. Throws `forbidden` for another's, and `batch_too_large`. */
export async function readCallList(
  ctx: AdmittedContext,
  asked: Unauthorized<ListCallsQuery>,
): Promise<CallList> {
  const calls = authorizeCalls(ctx, asked);
  ctx.size?.addCalls(calls);
  return listCalls(ctx.ports.callReader, calls, ctx.signal?.());
}

/** Resolves whose calls are read, and which of them. Throws `forbidden`. */
export function authorizeCalls(
  { identity }: { identity: Identity },
  asked: Unauthorized<ListCallsQuery>,
): ListCallsQuery {
  const { userDid, filter } = asked;
  return { ...asked, userDid: resolveUser(identity, userDid), filter: allowFilter(identity, filter) };
}
