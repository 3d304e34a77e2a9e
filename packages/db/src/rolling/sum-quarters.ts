import { type SqlSession } from "../connection/session.ts";
import { typeCode } from "../layout/call-type-codes.ts";
import { KEPT_SUMS, STORED_LIST, STORED_OF_CALL } from "../layout/stored-measures.ts";
import sql, { raw } from "sql-template-tag";
import { type Buckets } from "./rollup-buckets.ts";

/** The names that tell rows of one quarter apart, as calls have them. */
const NAMES = "type, provider_id, model, app_did, status, key_id, tags";

const OF_CALL = `${typeCode("type")} as type, provider_id, model, app_did, status, key_id, nullif(tags, '{}') as tags`;

/** Sums the calls of some quarters into `rolled_calls`. */
export async function sumQuarters(session: SqlSession, { users, quarters }: Buckets): Promise<void> {
  // The outer bounds tell the planner which partitions to leave out; OFFSET 0 has each quarter looked up by the composite index.
  await session.execute(sql`
    insert into rolled_calls (user_did, timestamp, ${raw(NAMES)}, ${raw(STORED_LIST)})
    select user_did, timestamp, ${raw(NAMES)}, ${raw(KEPT_SUMS)}
      from (select touched.user_did, quarter_number(start) as timestamp, calls.*
              from unnest(${users}::text[], ${quarters}::timestamptz[]) as touched(user_did, start)
             cross join lateral (
               select ${raw(OF_CALL)}, ${raw(STORED_OF_CALL)} from model_calls
                where user_did = touched.user_did and call_time >= start and call_time < start + interval '15 minutes' and voided_at is null
                  and call_time >= ${earliest(quarters)}::timestamptz and call_time < ${latest(quarters)}::timestamptz + interval '15 minutes'
               offset 0) as calls) as calls
     group by user_did, timestamp, ${raw(NAMES)}`);
}

// Instants of one form are in the order of their texts.
const earliest = (quarters: string[]) => quarters.reduce((one, other) => (other < one ? other : one));
const latest = (quarters: string[]) => quarters.reduce((one, other) => (other > one ? other : one));
