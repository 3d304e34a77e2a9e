import { type CallReader, type CallsQuestion, type ListedCall } from "@usage-stats/core";
import { type Database } from "../database.ts";
import { databaseFailure } from "../database-failure.ts";
import { createStatementRunner } from "../reading/statement-runner.ts";
import { andMatches } from "../reading/filter-sql.ts";
import { createSearchCollation } from "../reading/search-collation.ts";
import sql, { empty, raw, type Sql } from "sql-template-tag";
import { CONTENT_COLUMNS, IDENTITY_COLUMNS } from "../writing/model-call-columns.ts";

/** Reads calls from Postgres, newest first, along the index of a user's calls by time. */
export function createCallReader(orm: Database): CallReader {
  const runner = createStatementRunner(orm);
  const searchCollation = createSearchCollation(orm);
  return {
    async readCalls(question, signal) {
      try {
        const collation = question.search === null ? undefined : await searchCollation();
        const rows = await runner(signal)<CallRow>(callsSql(question, collation));
        return rows.map(callOf);
      } catch (error) {
        throw databaseFailure(error);
      }
    },
  };
}

const COLUMNS = [...IDENTITY_COLUMNS, ...CONTENT_COLUMNS].map(({ name }) => name);

/** The statement of a page. Times are read as milliseconds, because that is what a call's time is kept in. */
export function callsSql(question: CallsQuestion, collation = empty): Sql {
  const { userDid, range, filter, limit, minDurationMs, withVoided } = question;
  const whose = userDid === null ? raw("true") : sql`user_did = ${userDid}`;
  const slow = minDurationMs === null ? empty : sql` and duration_ms >= ${minDurationMs}`;
  const counting = raw(withVoided ? "" : " and voided_at is null");
  return sql`
    select ${raw(COLUMNS.join(", "))}, (extract(epoch from voided_at) * 1000)::bigint as voided_time,
           (extract(epoch from call_time) * 1000)::bigint as time
      from model_calls
     where ${whose} and call_time >= ${range.from.toISOString()} and call_time < ${range.to.toISOString()}${after(question)}${andMatches(filter)}${slow}${counting}${searched(question, collation)}
     order by call_time desc, id collate "C" desc, user_did collate "C" desc
     limit ${limit}`;
}

function after({ after: place }: CallsQuestion): Sql {
  if (place === null) return empty;
  const time = place.callTime.toISOString();
  // The first condition alone is one that an index can begin at.
  return sql` and call_time <= ${time} and (call_time < ${time} or (id collate "C", user_did collate "C") < (${place.id}::text, ${place.userDid}::text))`;
}

const SEARCHED = ["id", "request_id", "trace_id", "model", "error_reason"];

/** A part of any of the texts, in whatever case, without any wildcards. */
function searched({ search }: CallsQuestion, collation: Sql): Sql {
  if (search === null) return empty;
  const all = raw(`concat_ws(chr(1), ${SEARCHED.join(", ")})`);
  return sql` and strpos(lower(${all}${collation}), lower(${search}::text${collation})) > 0`;
}

type CallRow = {
  user_did: string;
  id: string;
  time: string;
  voided_time: string | null;
  app_did: string | null;
  provider_id: string;
  model: string;
  type: ListedCall["type"];
  status: ListedCall["status"];
  input_tokens: string | null;
  output_tokens: string | null;
  cached_input_tokens: string | null;
  total_usage: string | null;
  credits: string;
  duration_ms: string | null;
  ttfb_ms: string | null;
  error_reason: string | null;
  request_id: string | null;
  trace_id: string | null;
  metadata: Record<string, unknown> | null;
};

function callOf(row: CallRow): ListedCall {
  const number = (value: string | null) => (value === null ? null : Number(value));
  return {
    id: row.id,
    userDid: row.user_did,
    appDid: row.app_did,
    providerId: row.provider_id,
    model: row.model,
    type: row.type,
    status: row.status,
    callTime: new Date(Number(row.time)),
    inputTokens: number(row.input_tokens),
    outputTokens: number(row.output_tokens),
    cachedInputTokens: number(row.cached_input_tokens),
    totalUsage: number(row.total_usage),
    credits: row.credits,
    durationMs: number(row.duration_ms),
    ttfbMs: number(row.ttfb_ms),
    errorReason: row.error_reason,
    requestId: row.request_id,
    traceId: row.trace_id,
    metadata: row.metadata,
    voidedAt: row.voided_time === null ? null : new Date(Number(row.voided_time)),
  };
}
