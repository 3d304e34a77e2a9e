/**
 * A PostgreSQL array literal, to be cast (`?::text[]`): MikroORM would spread a JavaScript array into a list of parameters.
 * https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO
 */
export function arrayLiteral(values: readonly (string | number | null)[]): string {
  return `{${values.map((value) => (typeof value === "string" ? quoted(value) : String(value))).join(",")}}`;
}

export function timeArray(times: readonly Date[]): string {
  return arrayLiteral(times.map((time) => time.toISOString()));
}

function quoted(value: string): string {
  return `"${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}
