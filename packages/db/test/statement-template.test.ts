import sql, { raw } from "sql-template-tag";
import { expect, it } from "vitest";
import { Place, templateByShape, templateOf } from "../src/reading/statement-template.ts";

type Asked = { user: string; limit: number };
const USER = sql`${new Place<Asked>(({ user }) => user)}::text`;

it("sends what one place asks for once, and every other value where it stands", () => {
  const template = templateOf<Asked>(
    sql`select ${USER}, ${"5"}::text, ${"5"}::numeric, ${new Place<Asked>(({ limit }) => limit)}::int, ${USER}`,
  );
  expect(template({ user: "u", limit: 7 })).toEqual({
    text: "select $1::text, $2::text, $3::numeric, $4::int, $1::text",
    values: ["u", "5", "5", 7],
  });
  expect(template({ user: "v", limit: 8 }).values).toEqual(["v", "5", "5", 8]);
});

it("takes no value that looks like a place for one", () => {
  const shaped = JSON.parse('{"valueOf":"user"}') as unknown;
  expect(templateOf<Asked>(sql`select ${shaped}::jsonb`)({ user: "u", limit: 1 }).values).toEqual([shaped]);
});

it("writes a text once for each shape, and gives the right one however many there are", () => {
  let written = 0;
  const template = templateByShape<{ column: string }, Asked>(({ column }) => {
    written += 1;
    return sql`select ${raw(column)} where user_did = ${USER}`;
  });
  const textOf = (column: string) => template({ column })({ user: "u", limit: 1 }).text;
  for (let i = 0; i < 3; i += 1) expect(textOf("a")).toBe("select a where user_did = $1::text");
  expect(textOf("b")).toBe("select b where user_did = $1::text");
  expect(written).toBe(2);
  for (let i = 0; i < 1_000; i += 1) expect(textOf(`c${i}`)).toBe(`select c${i} where user_did = $1::text`);
  expect(textOf("a")).toBe("select a where user_did = $1::text");
});
