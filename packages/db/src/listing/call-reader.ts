import {
  CALL_FIELD_NAMES,
  CALL_FIELDS,
  type CallField,
  type CallFieldName,
  type CallOrigin,
  type CallReader,
  type CallPageQuery,
  type FieldKind,
  type ListedCall,
} from "@usage-stats/core";
import sql, { empty, join, raw, type Sql } from "sql-template-tag";
import { type Database } from "../database.ts";
import { databaseFailure } from "../database-failure.ts";
import { createStatementRunner } from "../reading/statement-runner.ts";
import { andMatches } from "../reading/filter-sql.ts";
import { createSearchCollation } from "../reading/search-collation.ts";

/** Reads calls from Postgres, newest first, along the index of a user's calls by time. */
export function createCallReader(orm: Database): CallReader {
  const runner = createStatementRunner(orm);
  const searchCollation = createSearchCollation(orm);
  return {
    async readCalls(query, signal) {
      try {
        const collation = query.search === null ? undefined : await searchCollation();
        const rows = await runner(signal)<CallRow>(callsSql(query, collation));
        return rows.map(callOf);
      } catch (error) {
        throw databaseFailure(error);
      }
    },
  };
}

// The time comes as milliseconds, because that is what a call's time is kept in.
const COLUMNS = CALL_FIELD_NAMES.map((name) => {
  const { column, kind }: CallField = CALL_FIELDS[name];
  return `${kind === "instant" ? `(extract(epoch from ${column}) * 1000)::bigint` : column} as "${name}"`;
});

/** Builds the statement of a page. */
export function callsSql(query: CallPageQuery, collation = empty): Sql {
  const { userDid, range, filter, limit, minDurationMs, withVoided } = query;
  const whose = userDid === null ? raw("true") : sql`user_did = ${userDid}`;
  const slow = minDurationMs === null ? empty : sql` and duration_ms >= ${minDurationMs}`;
  const counting = raw(withVoided ? "" : " and voided_at is null");
  return sql`
    select ${raw(COLUMNS.join(", "))}, (extract(epoch from voided_at) * 1000)::bigint as "voidedAt"
      from model_calls
     where ${whose} and call_time >= ${range.from.toISOString()} and call_time < ${range.to.toISOString()}${after(query)}${andMatches(filter)}${andComesFrom(query.origin)}${slow}${counting}${searched(query, collation)}
     order by call_time desc, id collate "C" desc, user_did collate "C" desc
     limit ${limit}`;
}

function andComesFrom({ keyId, runId, conversationId, tags }: CallOrigin): Sql {
  const conditions = [
    ...(keyId === null ? [] : [sql` and key_id = ${keyId}`]),
    ...(runId === null ? [] : [sql` and run_id = ${runId}`]),
    ...(conversationId === null ? [] : [sql` and conversation_id = ${conversationId}`]),
    ...(tags === null ? [] : [sql` and tags @> ${JSON.stringify(tags)}::jsonb`]),
  ];
  return conditions.length === 0 ? empty : join(conditions, "");
}

function after({ after: place }: CallPageQuery): Sql {
  if (place === null) return empty;
  const time = place.callTime.toISOString();
  // The first condition alone is one that an index can begin at.
  return sql` and call_time <= ${time} and (call_time < ${time} or (id collate "C", user_did collate "C") < (${place.id}::text, ${place.userDid}::text))`;
}

const SEARCHED = ["id", "request_id", "trace_id", "model", "error_reason"];

/** A part of any of the texts, in whatever case, without any wildcards. */
function searched({ search }: CallPageQuery, collation: Sql): Sql {
  if (search === null) return empty;
  const all = raw(`concat_ws(chr(1), ${SEARCHED.join(", ")})`);
  return sql` and strpos(lower(${all}${collation}), lower(${search}::text${collation})) > 0`;
}

/** A call by the names of its fields, in node-pg's values: it reads `bigint` as text. */
type CallRow = Record<keyof ListedCall, unknown>;

const TIMES = [...fieldsOf("instant"), "voidedAt"] as const;
const NUMBERS = fieldsOf("count", "milliseconds");

/** Makes the row the call, as it is: a page of an export has thousands. */
function callOf(row: CallRow): ListedCall {
  for (const name of NUMBERS) if (row[name] !== null) row[name] = Number(row[name]);
  for (const name of TIMES) if (row[name] !== null) row[name] = new Date(Number(row[name]));
  return row as ListedCall;
}

function fieldsOf(...kinds: FieldKind[]): CallFieldName[] {
  return CALL_FIELD_NAMES.filter((name) => kinds.includes(CALL_FIELDS[name].kind));
}
