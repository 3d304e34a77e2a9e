import {
  CALL_CONTENT,
  CALL_FIELDS,
  CALL_IDENTITY,
  type CallField,
  type CallFieldName,
  type FieldKind,
  type ModelCall,
} from "@usage-stats/core";
import { arrayLiteral } from "../array-literal.ts";

type ColumnOf<Call> = { name: string; type: string; value: (call: Call) => string | number | null };
export type Column = ColumnOf<ModelCall>;
export type Identity = Pick<ModelCall, "userDid" | "id" | "callTime">;

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
};

export const IDENTITY_COLUMNS: ColumnOf<Identity>[] = CALL_IDENTITY.map(columnOf);

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

/** The columns' names as a list, each after a prefix such as `old.`. */
export function namesOf(columns: readonly Pick<Column, "name">[], prefix = ""): string {
  return columns.map(({ name }) => prefix + name).join(", ");
}

/** Rows that are given as parameters (`parametersOf`), as a table of its own in a statement. */
export function inputOf(columns: readonly Pick<Column, "name" | "type">[]): string {
  return `unnest(${columns.map(({ type }) => `?::${type}[]`).join(", ")}) as input(${namesOf(columns)})`;
}

/** One array a column. */
export function parametersOf<Call>(columns: readonly ColumnOf<Call>[], calls: readonly Call[]): string[] {
  return columns.map((column) => arrayLiteral(calls.map(column.value)));
}

/** Whether the call in the table, `old`, says anything else than the one in `other`. */
export function isOther(other: string): string {
  return `(${namesOf(CONTENT_COLUMNS, "old.")}) is distinct from (${namesOf(CONTENT_COLUMNS, `${other}.`)})`;
}

/** Whether the call in `other` says anything newer than the one in the table, `old`. What ended is never `processing` again, however late that is heard. */
export function isNewer(other: string): string {
  return `${isOther(other)} and (${other}.status <> 'processing' or old.status = 'processing')`;
}

/**
 * The row of `model_calls` that each row of `input` names, to be joined to it. OFFSET 0 has each looked up by the key in its own
 * partition, also while the planner's statistics still say that scanning all of them costs nothing.
 */
export const OLD_CALL = `cross join lateral (
    select * from model_calls as known
     where (${namesOf(IDENTITY_COLUMNS, "known.")}) = (${namesOf(IDENTITY_COLUMNS, "input.")}) offset 0) as old`;
