import {
  ANY_ORIGIN,
  type CallOrigin,
  canonicalTags,
  type CallTags,
  isName,
  isTagName,
  MAX_TAGS,
  TAG_VALUE_LIMITS,
} from "@usage-stats/core";
import * as z from "zod";
import { text } from "./wire-text.ts";

const name = text(128).exactOptional();

/** The parts of an origin that are names. */
export const originNames = {
  keyId: name.describe("Only calls by this API key of the user."),
  runId: name.describe("Only calls of this run."),
  conversationId: name.describe("Only calls of this conversation."),
};

/** Tags to look for, each with its value. */
export const originTags = z
  .record(
    z.string().refine(isTagName, "the name of a tag"),
    z
      .string()
      .trim()
      .refine((value) => isName(value, TAG_VALUE_LIMITS), `text of 1 to ${TAG_VALUE_LIMITS.maxBytes} bytes`),
  )
  .refine((tags) => Object.keys(tags).length <= MAX_TAGS, `at most ${MAX_TAGS} tags`)
  .exactOptional();

type Sent = { [Name in keyof typeof originNames]?: string | undefined } & { tags?: CallTags | undefined };

/** The origin that is asked for: any, where nothing is said. */
export function originOf({ keyId, runId, conversationId, tags }: Sent): CallOrigin {
  return {
    ...ANY_ORIGIN,
    ...(keyId !== undefined && { keyId }),
    ...(runId !== undefined && { runId }),
    ...(conversationId !== undefined && { conversationId }),
    ...(tags !== undefined && { tags: canonicalTags(tags) }),
  };
}
