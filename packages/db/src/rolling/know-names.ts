import { type SqlSession } from "../connection/session.ts";
import sql from "sql-template-tag";

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
                        where known.model_id = models.id and known.status = named.status and coalesce(known.app_did, '') = coalesce(named.app_did, '')
                          and coalesce(known.key_id, '') = '' and coalesce(known.tags, '{}') = coalesce(named.tags, '{}'))
     order by models.id, status, app_did, tags on conflict do nothing`);
  await session.execute(sql`
    insert into model_call_combos (model_id, app_did, status, key_id, tags, keyless_id)
    select distinct models.id, named.app_did, named.status, named.key_id, named.tags, keyless.id
      from rolled_calls as named join model_call_models as models using (type, provider_id, model)
      join model_call_combos as keyless
        on keyless.model_id = models.id and keyless.status = named.status and coalesce(keyless.app_did, '') = coalesce(named.app_did, '')
       and coalesce(keyless.key_id, '') = '' and coalesce(keyless.tags, '{}') = coalesce(named.tags, '{}')
     where named.key_id is not null
       and not exists (select from model_call_combos as known
                        where known.model_id = models.id and known.status = named.status and coalesce(known.app_did, '') = coalesce(named.app_did, '')
                          and coalesce(known.key_id, '') = named.key_id and coalesce(known.tags, '{}') = coalesce(named.tags, '{}'))
     order by models.id, named.status, named.app_did, named.key_id, named.tags on conflict do nothing`);
}
