import * as z from "zod";
import { tagLists } from "../input/usage-filter.ts";
import { text, userName } from "../input/wire-text.ts";

/** What a viewer token takes: one user, perhaps only some of their apps, keys and tags, and for how long it is good, in seconds. */
export const viewerTokenInput = z.strictObject({
  userDid: userName,
  appDids: z.array(text(256)).min(1).max(20).optional(),
  keyIds: z.array(text(128)).min(1).max(10).optional(),
  tags: tagLists(5).optional(),
  expiresInSeconds: z.int().min(60).max(3_600).default(900),
});

export type ViewerTokenInput = z.input<typeof viewerTokenInput>;
