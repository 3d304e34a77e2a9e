import { createHash } from "node:crypto";
import { type Sql } from "sql-template-tag";

/** A statement that each connection plans once: its text, made once, and the name under which a connection keeps it. */
export type PreparedStatement = { readonly name: string; readonly text: string };

/**
 * Prepares a statement of a shape that never changes; the values in it only stand for those of later runs. Its name is made from its
 * text, so that it is the same for everyone who shares a connection, and no other text has it.
 */
export function prepareStatement({ text }: Sql): PreparedStatement {
  return { name: createHash("sha256").update(text).digest("hex").slice(0, 32), text };
}
