import type * as z from "zod";
import { type AdmittedContext, type ViewerToken } from "../context.ts";
import { refuseUndeclaredTags } from "../input/declared-tags.ts";
import { viewerTokenInput } from "./input.ts";
import { procedure } from "../trpc.ts";

/** Gives an app's back end a token for the page of one of its users, which can do nothing but read that user's usage. */
export const createViewerToken = procedure("viewerTokens.create")
  .input(viewerTokenInput)
  .mutation(({ ctx, input }) => issueViewerToken(ctx, input));

/** Issues a viewer token; one that was asked for with an API key lives no longer than that. */
export async function issueViewerToken(
  { ports: { signViewerToken, recordLimits }, now: issuedAt, identity: { keyId } }: AdmittedContext,
  { userDid, appDids, keyIds: onlyKeys, tags: onlyTags, expiresInSeconds }: z.output<typeof viewerTokenInput>,
): Promise<ViewerToken> {
  const named = Object.keys(onlyTags ?? {}).map((name) => ({ name, field: `tags.${name}` }));
  refuseUndeclaredTags(named, recordLimits.tags);
  const expiresAt = new Date(issuedAt.getTime() + expiresInSeconds * 1000);
  const token = await signViewerToken({
    userDid,
    onlyApps: appDids ?? null,
    onlyKeys,
    onlyTags,
    keyId,
    issuedAt,
    expiresAt,
  });
  return { token, expiresAt };
}
