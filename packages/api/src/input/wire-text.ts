import { isStorable } from "@usage-stats/core";
import * as z from "zod";

/** Text that a database can hold: no NUL, no half of a character. */
export const text = (maxLength: number) =>
  z.string().min(1).max(maxLength).refine(isStorable, "text without NUL or broken characters");

/** A user's DID, as it comes from outside. */
export const userName = text(256);
