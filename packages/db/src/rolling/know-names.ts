import { type SqlSession } from "../connection/session.ts";
import sql, { raw, type Sql } from "sql-template-tag";

/**
 * Gives every name of `rolled_calls` its id. Names are added in one order, so that rollers that add the same wait for each other and never
 * in a circle; whoever waited sees them with the next statement.
 */
export async function knowNames(session: SqlSession): Promise<void> {
  await session.execute(sql`
    insert into model_call_users (did)
    select distinct user_did from rolled_calls
     where not exists (select from model_call_users where did = user_did) order by user_did on conflict do nothing`);
  await session.execute(sql`
    insert into model_call_models (type, provider_id, model)
    select distinct type, provider_id, model from rolled_calls as named
     where not exists (select from model_call_models as known
                        where known.type = named.type and known.provider_id = named.provider_id and known.model = named.model)
     order by type, provider_id, model on conflict do nothing`);
  await session.execute(sql`
    insert into model_call_combos (model_id, app_did, status, tags)
    select distinct models.id, app_did, status, tags from rolled_calls as named join model_call_models as models using (type, provider_id, model)
     where not exists (select from model_call_combos as known
                        where ${isKeyless("known")})
     order by models.id, status, app_did, tags on conflict do nothing`);
  await session.execute(sql`
    insert into model_call_combos (model_id, app_did, status, key_id, tags, keyless_id)
    select distinct models.id, named.app_did, named.status, named.key_id, named.tags, keyless.id
      from rolled_calls as named join model_call_models as models using (type, provider_id, model)
      join model_call_combos as keyless
        on ${isKeyless("keyless")}
     where named.key_id is not null
       and not exists (select from model_call_combos as known
                        where ${isCombo("known")})
     order by models.id, named.status, named.app_did, named.key_id, named.tags on conflict do nothing`);
}

/** Holds for the combination that a row of `rolled_calls`, as `named` beside its `models`, is of; by the expressions of the index. */
export function isCombo(combo: string): Sql {
  return sql`${isNamedAlike(combo)} and coalesce(${raw(combo)}.key_id, '') = coalesce(named.key_id, '')`;
}

/** Holds for the same without its key. */
function isKeyless(combo: string): Sql {
  return sql`${isNamedAlike(combo)} and coalesce(${raw(combo)}.key_id, '') = ''`;
}

function isNamedAlike(combo: string): Sql {
  return raw(
    `${combo}.model_id = models.id and ${combo}.status = named.status and coalesce(${combo}.app_did, '') = coalesce(named.app_did, '') and coalesce(${combo}.tags, '{}') = coalesce(named.tags, '{}')`,
  );
}
