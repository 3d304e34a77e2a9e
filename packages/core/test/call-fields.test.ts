import { expect, it } from "vitest";
import { CALL_CONTENT, CALL_FIELD_NAMES, CALL_FIELDS, CALL_IDENTITY, NOTHING_KNOWN } from "../src/index.ts";

it("what is not said of a call is unknown, its price too", () => {
  expect(NOTHING_KNOWN).toHaveProperty("credits");
  expect(new Set(Object.values(NOTHING_KNOWN))).toEqual(new Set([null]));
});

it("a call is none without who, what and when", () => {
  const optional = Object.keys(NOTHING_KNOWN);
  expect(CALL_FIELD_NAMES.filter((name) => !optional.includes(name))).toEqual([
    "id",
    "userDid",
    "providerId",
    "model",
    "type",
    "status",
    "callTime",
  ]);
});

it("every field is kept once, in a column of its own", () => {
  expect([...CALL_IDENTITY, ...CALL_CONTENT].toSorted()).toEqual(CALL_FIELD_NAMES.toSorted());
  const columns = Object.values(CALL_FIELDS).map(({ column }) => column);
  expect(new Set(columns).size).toBe(CALL_FIELD_NAMES.length);
});
