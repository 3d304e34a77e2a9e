/** PostgreSQL's `$1` for MikroORM's `?`; none of our statements has a question mark of its own. */
export function numbered(sql: string): string {
  let n = 0;
  return sql.replaceAll("?", () => `$${(n += 1)}`);
}
