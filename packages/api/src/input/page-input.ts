import * as z from "zod";
import { text } from "./wire-text.ts";

/** How many items a page has where nobody says. */
export const PAGE_SIZE = 50;

/** How many items a page has. */
export const pageLimit = z
  .int()
  .min(1)
  .max(200)
  .default(PAGE_SIZE)
  .describe(`How many items a page has, at most; ${PAGE_SIZE} where absent.`);

/** Where the page before ended. */
export const pageCursor = z
  .string()
  .max(4096)
  .exactOptional()
  .describe("The `nextCursor` of the page before; absent for the first page.");

/** Text to look for, in whatever case; `null` where absent. */
export const searchText = text(256)
  .optional()
  .transform((search) => search ?? null);
