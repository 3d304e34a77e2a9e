import * as z from "zod";
import { text, userName } from "../input/wire-text.ts";

const whose = { userDid: userName.optional().describe("Whose calls; the caller's own where absent.") };

/** What `runUsage` takes. */
export const runUsageInput = z.strictObject({
  ...whose,
  runId: text(128).describe("The run, with all that it began."),
});

/** What `conversationUsage` takes. */
export const conversationUsageInput = z.strictObject({
  ...whose,
  conversationId: text(128).describe("The conversation."),
});

export type RunUsageInput = z.input<typeof runUsageInput>;
export type ConversationUsageInput = z.input<typeof conversationUsageInput>;
