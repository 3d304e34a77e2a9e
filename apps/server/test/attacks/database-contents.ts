import { expect } from "vitest";
import { type TestServer } from "../test-server.ts";

/** Everything that the database holds, as text: an attack must leave it as it was. */
export async function contentsOf({ database }: TestServer): Promise<string> {
  const em = database.orm.em.fork();
  const tables = await em.execute<{ name: string }[]>(
    `select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and not relispartition order by 1`,
  );
  const contents = [];
  for (const { name } of tables)
    contents.push([name, await em.execute(`select * from "${name}" as t order by t::text`)]);
  return JSON.stringify(contents);
}

// What belongs to the inside: stacks, paths, SQL, names of libraries.
const INSIDE =
  /\bat \S+ \(|node_modules|\/src\/|\.ts:|select\s|insert\s+into|postgres|mikro|kysely|pg_|ECONN|TypeError|SyntaxError/i;

/** Every string of a JSON text, as it reads. */
function told(json: string): string {
  const strings: string[] = [];
  JSON.parse(json, (_, value: unknown) => {
    if (typeof value === "string") strings.push(value.replaceAll('\\"', '"'));
    return value;
  });
  return strings.join("\n");
}

/** Of REST, or of tRPC through superjson. */
type Refusal = { code: string } | { error: { json: { data: { appCode: string } } } };

/** A refusal that is ours, and tells nothing of the inside, though perhaps what was `sent`. Gives its code. */
export async function expectRefusal(
  response: Response,
  statuses: readonly number[],
  sent = "",
): Promise<string> {
  const text = await response.text();
  expect(statuses).toContain(response.status);
  expect(sent === "" ? text : told(text).replaceAll(sent, "")).not.toMatch(INSIDE);
  const body = JSON.parse(text) as Refusal | Refusal[];
  const first = Array.isArray(body) ? body[0]! : body;
  return "code" in first ? first.code : first.error.json.data.appCode;
}
