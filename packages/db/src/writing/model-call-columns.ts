import {
  CALL_CONTENT,
  CALL_FIELDS,
  CALL_IDENTITY,
  type CallField,
  type CallFieldName,
  type FieldKind,
  type ModelCall,
} from "@usage-stats/core";
import sql, { join, raw, type Sql } from "sql-template-tag";

type ColumnOf<Call> = { name: string; type: string; value: (call: Call) => string | number | null };
export type Column = ColumnOf<ModelCall>;
export type CallIdentity = Pick<ModelCall, "userDid" | "id" | "callTime">;

const SQL_TYPE: Record<FieldKind, string> = {
  name: "text",
  text: "text",
  cut_text: "text",
  choice: "text",
  instant: "timestamptz",
  count: "bigint",
  milliseconds: "bigint",
  decimal: "numeric",
  object: "jsonb",
  tags: "jsonb",
};

export const IDENTITY_COLUMNS: ColumnOf<CallIdentity>[] = CALL_IDENTITY.map(columnOf);

/** Everything else a gateway says of a call: a change in any of these makes a repeat a correction. */
export const CONTENT_COLUMNS: Column[] = CALL_CONTENT.map(columnOf);

function columnOf<Name extends CallFieldName>(name: Name): ColumnOf<Pick<ModelCall, Name>> {
  const { column, kind }: CallField = CALL_FIELDS[name];
  return { name: column, type: SQL_TYPE[kind], value: (call) => sqlValue(call[name]) };
}

function sqlValue(value: ModelCall[CallFieldName]): string | number | null {
  if (value === null || typeof value !== "object") return value;
  return value instanceof Date ? value.toISOString() : JSON.stringify(value);
}

export const ALL_COLUMNS: Column[] = [...IDENTITY_COLUMNS, ...CONTENT_COLUMNS];

/** Lists the columns' names, each after a prefix such as `old.`. */
export function namesOf(columns: readonly Pick<Column, "name">[], prefix = ""): Sql {
  return raw(columns.map(({ name }) => prefix + name).join(", "));
}

/** Takes calls into a statement as a table of its own, `input`: one array parameter a column, whose values are `valuesOf` the calls. */
export function inputOf(columns: readonly Pick<Column, "name" | "type">[]): Sql {
  const arrays = columns.map(({ type }) => sql`${[]}::${raw(type)}[]`);
  return sql`unnest(${join(arrays, ", ")}) as input(${namesOf(columns)})`;
}

/** Gives the values of `inputOf` the same columns. What none of the calls says takes no bytes: `unnest` fills shorter arrays up with nulls. */
export function valuesOf<Call>(columns: readonly ColumnOf<Call>[], calls: readonly Call[]): unknown[] {
  return columns.map(({ value }) => {
    const values = calls.map(value);
    return values.every((one) => one === null) ? [] : values;
  });
}

/** Says whether the call in the table, `old`, says anything else than the one in `other`. */
export function isOther(other: string): Sql {
  return sql`(${namesOf(CONTENT_COLUMNS, "old.")}) is distinct from (${namesOf(CONTENT_COLUMNS, `${other}.`)})`;
}

/** Says whether the call in `other` says anything newer than the one in the table, `old`. What ended is never `processing` again, however late that is heard. */
export function isNewer(other: string): Sql {
  return sql`${isOther(other)} and (${raw(other)}.status <> 'processing' or old.status = 'processing')`;
}

/**
 * Joins the row of `model_calls` that each row of `input` names to it. OFFSET 0 has each looked up by the key in its own
 * partition, also while the planner's statistics still say that scanning all of them costs nothing.
 */
export const OLD_CALL = sql`cross join lateral (
    select * from model_calls as known
     where (${namesOf(IDENTITY_COLUMNS, "known.")}) = (${namesOf(IDENTITY_COLUMNS, "input.")}) offset 0) as old`;
