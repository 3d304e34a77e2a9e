/**
 * Inserts calls number $1 to $2 of a stretch. Parameters: $1, $2; $3 user or null; $4 from; $5 seconds of the stretch; $6 its
 * calls; $7 calls a session; $8 a name that keeps ids apart; $9 how many users share them where none is named. Everything comes from hashes of the numbers, so a load is the
 * same on every machine, up to its end.
 */
export const INSERT_CALLS = `
  insert into model_calls (user_did, id, call_time, app_did, provider_id, model, type, status, input_tokens, output_tokens,
                           cached_input_tokens, total_usage, credits, duration_ms, ttfb_ms)
  select user_did, $8 || number, call_time,
         case when app < 9 then 'did:abt:zapp' || (app % 4) end,
         'provider-' || provider, 'model-' || provider || '-' || variant, type, status,
         case when is_text then input end, case when type = 'chatCompletion' then output end,
         case when type = 'chatCompletion' then input / 3 end,
         case when is_text then input + case when type = 'chatCompletion' then output else 0 end else 1 + output % 4 end,
         round(((input + 4 * output) * (1 + provider))::numeric / 1000000, 8),
         200 + output * 12, case when type = 'chatCompletion' then 80 + input / 10 end
    from (select *, type in ('chatCompletion', 'embedding') as is_text
            from (select *, case when variant < 4 then 'chatCompletion'
                                 else (array['embedding', 'embedding', 'imageGeneration', 'audioGeneration', 'video'])[provider + 1]
                            end as type
                    from (${drawn()}) as drawn) as typed) as calls
   where call_time < $4::timestamptz + make_interval(secs => $5)`;

/** The numbers of each call. A session keeps to one user, app and model, and lasts some minutes. */
function drawn(): string {
  return `
    select number,
           coalesce($3::text, 'did:abt:z' || lpad(($9::int * pow(${uniform("session", 1)}, 2))::int::text, 6, '0')) as user_did,
           $4::timestamptz + make_interval(secs => (session * $7 + 0.999 * $7 * ${uniform("session", 2)}) / $6 * $5)
             + make_interval(secs => (number - session * $7) * 40 * ${uniform("number", 3)}) as call_time,
           (10 * ${uniform("session", 4)})::int as app,
           floor(5 * pow(${uniform("session", 5)}, 1.5))::int as provider,
           floor(5 * pow(${uniform("session", 6)}, 1.5))::int as variant,
           case when ${uniform("number", 7)} < 0.015 then 'failed' else 'success' end as status,
           (20 + 4000 * pow(${uniform("number", 8)}, 3))::bigint as input,
           (1 + 900 * pow(${uniform("number", 9)}, 2))::bigint as output
      from (select number, floor(number / $7)::bigint as session from generate_series($1::bigint, $2::bigint) as number) as numbered`;
}

/** A number from 0 to below 1 that depends on nothing but a column, a seed and the stretch. */
function uniform(column: string, seed: number): string {
  return `((hashint8extended(${column}, hashtext($8) + ${seed}) & 2147483647) / 2147483648.0::float8)`;
}
