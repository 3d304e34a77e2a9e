import { join, type Sql } from "sql-template-tag";

/** Writes a UNION ALL of the subqueries that there are. */
export function unionAll(subqueries: readonly (Sql | false | null)[]): Sql {
  return join(
    subqueries.filter((subquery) => subquery !== null && subquery !== false),
    " union all ",
  );
}
