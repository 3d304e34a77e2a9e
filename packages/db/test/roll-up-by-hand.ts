import { raw } from "sql-template-tag";
import sql from "sql-template-tag";
import { sessionOf } from "../src/connection/session.ts";
import { type Database } from "../src/index.ts";
import { typeCode } from "../src/layout/call-type-codes.ts";
import { KEPT_SUMS, STORED_LIST, STORED_OF_CALL } from "../src/layout/stored-measures.ts";
import { SLICES } from "../src/layout/time-types.ts";
import { deriveRollups } from "../src/rolling/derive-rollups.ts";

const NAMES = raw("type, provider_id, model, app_did, status");

/** Rolls up every call anew and empties the change log, in the plainest way: one statement of each table, then everything that follows from it. */
export async function rollUpByHand(orm: Database): Promise<void> {
  const session = sessionOf(orm.em.fork());
  const named = sql`
    (select user_did, quarter_number(call_time) as timestamp, ${raw(typeCode("type"))} as type, provider_id, model, app_did, status, ${raw(STORED_OF_CALL)}
       from model_calls where voided_at is null) as named`;
  const statements = [
    sql`insert into model_call_users (did) select distinct user_did from ${named} on conflict do nothing`,
    sql`insert into model_call_models (type, provider_id, model) select distinct type, provider_id, model from ${named} on conflict do nothing`,
    sql`insert into model_call_combos (model_id, app_did, status)
        select distinct models.id, app_did, status from ${named} join model_call_models as models using (type, provider_id, model)
        on conflict do nothing`,
    sql`delete from model_call_stats`,
    sql`insert into model_call_stats (user_id, time_type, slice, timestamp, item, type, model_id, ${raw(STORED_LIST)})
        select users.id, 0, slice_of(did), timestamp, combos.id, sums.type, models.id, ${raw(STORED_LIST)}
          from (select user_did, timestamp, ${NAMES}, ${raw(KEPT_SUMS.replaceAll(/(sum8?\((\w+)\)(?:, 0\))?)/g, "$1 as $2"))}
                  from ${named} group by user_did, timestamp, ${NAMES}) as sums
          join model_call_users as users on did = user_did
          join model_call_models as models using (type, provider_id, model)
          join model_call_combos as combos
            on combos.model_id = models.id and combos.status = sums.status and combos.app_did is not distinct from sums.app_did and key_id is null`,
    sql`delete from model_call_changes`,
  ];
  for (const statement of statements) await session.execute(statement);
  const [weeks] = await session.execute<{ from: number; to: number }>(
    sql`select week_start(min(timestamp)) as from, week_start(max(timestamp)) + 672 as to from model_call_stats`,
  );
  if (weeks!.from !== null) for (const slice of SLICES) await deriveRollups(session, slice, weeks!);
}
