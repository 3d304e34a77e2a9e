import { sqlStateOf } from "../connection/sqlstate.ts";
import { type Buckets } from "./rollup-buckets.ts";

// A number that does not fit, a row that is refused, a key that is too long: the data is at fault, and will be the next time.
const BAD_DATA = /^(22|23|54)/;

/** Says whether rolling up failed because of what is rolled up, as against the database or whoever else uses it. */
export function isBadData(error: unknown): boolean {
  return BAD_DATA.test(sqlStateOf(error) ?? "");
}

/** Quarters that cannot be rolled up: they stay in the change log, so that answers read their calls, and are left out of batches. */
export type SetAside = Buckets & { reasons: unknown[] };

export function nothingSetAside(): SetAside {
  return { users: [], quarters: [], reasons: [] };
}

const MOST_NAMED = 10;

/** Says which quarters could not be rolled up, and why; everything else was. */
export class CannotRollUp extends Error {
  override readonly name = "CannotRollUp";

  constructor({ users, quarters, reasons }: SetAside, from: number) {
    const all = users.slice(from).map((user, i) => {
      const reason = reasons[from + i];
      const whose = user === "" ? "all users" : user;
      return `${whose} ${quarters[from + i]}: ${reason instanceof Error ? reason.message : String(reason)}`;
    });
    const more = all.length > MOST_NAMED ? `; and ${all.length - MOST_NAMED} more` : "";
    super(
      `${all.length} quarters of an hour cannot be rolled up, and are read from calls instead: ${all.slice(0, MOST_NAMED).join("; ")}${more}`,
      { cause: reasons[from] },
    );
  }
}
