import { type Client, type QueryResult } from "pg";

/** The migration that ends the layout of before. */
export const ADAPTIVE = "20261125000010-adaptive-rollups";

const DETAIL = ["type", "provider_id", "model", "app_did", "status"];
const LEVELS: Record<string, string[]> = {
  model_call_stats: DETAIL.slice(0, 1),
  model_call_model_stats: DETAIL.slice(0, 3),
  model_call_detail_stats: DETAIL,
};
const MEASURES = [
  "calls",
  "success_calls",
  "failed_calls",
  "input_tokens",
  "output_tokens",
  "cached_input_tokens",
  "total_usage",
  "duration_ms_sum",
  "duration_ms_count",
  "ttfb_ms_sum",
  "ttfb_ms_count",
  "credits",
];
const SUMS = MEASURES.map((column) => `sum(${column})`).join(", ");
const OF_CALLS = `
  1 as calls, (status = 'success')::int as success_calls, (status = 'failed')::int as failed_calls,
  coalesce(input_tokens, 0) as input_tokens, coalesce(output_tokens, 0) as output_tokens, coalesce(cached_input_tokens, 0) as cached_input_tokens,
  coalesce(total_usage, 0) as total_usage,
  case when status = 'success' and duration_ms is not null then duration_ms else 0 end as duration_ms_sum,
  (status = 'success' and duration_ms is not null)::int as duration_ms_count,
  case when status = 'success' and ttfb_ms is not null then ttfb_ms else 0 end as ttfb_ms_sum,
  (status = 'success' and ttfb_ms is not null)::int as ttfb_ms_count, coalesce(credits, 0) as credits`;

type Whose = "users" | "all users";

/** Rolls up as servers of the version before do: one batch, in one transaction. Gives how many quarters it rolled up. */
export async function rollUpAsBefore(client: Client, whose: Whose, limit = 2_000): Promise<number> {
  await client.query("begin isolation level read committed");
  try {
    await client.query("select pg_advisory_xact_lock(1919904876)");
    if (whose === "users") await client.query("select notice_missing_months()");
    const picked = await pick(client, whose, limit);
    const kept = picked.filter(({ frozen }) => !frozen);
    const changed = [kept.map(({ user_did: user }) => user), kept.map(({ quarter }) => quarter)];
    if (kept.length > 0) {
      // These named the grain as a value, and so fail by the time's type where the layout is another.
      for (const table of Object.keys(LEVELS))
        for (const grain of GRAINS) await client.query(remove(table, grain), [...changed, grain]);
      for (const statement of recompute(whose)) await client.query(statement, changed);
      if (whose === "users")
        await client.query(
          `insert into model_call_changes select '', quarter from (select distinct unnest($2::timestamptz[]) as quarter, $1::text[]) as touched
            where not exists (select from model_call_changes as known where known.user_did = '' and known.quarter = touched.quarter)`,
          changed,
        );
    }
    await client.query("commit");
    return picked.length;
  } catch (error) {
    await client.query("rollback");
    throw error;
  }
}

type Picked = { user_did: string; quarter: string; frozen: boolean };

async function pick(client: Client, whose: Whose, limit: number): Promise<Picked[]> {
  const { rows }: QueryResult<Picked> = await client.query(`
    with picked as (
      select distinct user_did, quarter from model_call_changes
       where user_did ${whose === "users" ? "<>" : "="} '' and quarter < quarter_of(clock_timestamp())
         and (user_did = '' or quarter <> all(array(select quarters_relied_on())))
       order by user_did, quarter limit ${limit}),
    taken as (
      delete from model_call_changes where ctid = any(array(
        select entry.ctid from picked cross join lateral (
          select ctid from model_call_changes where user_did = picked.user_did and quarter = picked.quarter offset 0) as entry)))
    select user_did, quarter::text, is_frozen(user_did, quarter) as frozen from picked`);
  return rows;
}

const WIDTHS = { quarter: "15 minutes", hour: "1 hour", day: "1 day" };
type Grain = keyof typeof WIDTHS;
const GRAINS = Object.keys(WIDTHS) as Grain[];

const OWN = "user_did = touched.user_did and timestamp = start";

function buckets(grain: Grain): string {
  return `(
    select distinct user_did, date_bin('${WIDTHS[grain]}', quarter, '2000-01-01 00:00+00') as start
      from unnest($1::text[], $2::timestamptz[]) as changed(user_did, quarter)) as touched`;
}

function remove(table: string, grain: Grain): string {
  return `delete from ${table} where ctid = any(array(
    select old.ctid from ${buckets(grain)} cross join lateral (
      select ctid from ${table} where time_type = $3 and ${OWN} offset 0) as old))`;
}

function recompute(whose: Whose): string[] {
  const insert = (table: string, grain: Grain, from: string) => {
    const dimensions = LEVELS[table]!.join(", ");
    return `insert into ${table} (user_did, time_type, timestamp, ${dimensions}, ${MEASURES.join(", ")})
      select touched.user_did, '${grain}', start, ${dimensions}, ${SUMS} from ${buckets(grain)} cross join lateral (${from} offset 0) as source
       group by touched.user_did, start, ${dimensions}`;
  };
  const rows = (table: string, grain: Grain, condition: string) =>
    `select ${[...LEVELS[table]!, ...MEASURES].join(", ")} from ${table} where time_type = '${grain}' and ${condition}`;
  return [
    insert(
      "model_call_detail_stats",
      "quarter",
      whose === "users"
        ? `select type, provider_id, model, coalesce(app_did, '') as app_did, status, ${OF_CALLS} from model_calls
            where user_did = touched.user_did and call_time >= start and call_time < start + interval '15 minutes' and voided_at is null`
        : rows("model_call_detail_stats", "quarter", "timestamp = start and user_did <> ''"),
    ),
    ...["model_call_model_stats", "model_call_stats"].map((table) =>
      insert(
        table,
        "quarter",
        `select * from model_call_detail_stats where time_type = 'quarter' and ${OWN}`,
      ),
    ),
    ...(["hour", "day"] as const).flatMap((grain, i) =>
      Object.keys(LEVELS).map((table) =>
        insert(
          table,
          grain,
          rows(
            table,
            GRAINS[i]!,
            `user_did = touched.user_did and timestamp >= start and timestamp < start + interval '${WIDTHS[grain]}'`,
          ),
        ),
      ),
    ),
  ];
}

/** Rolls up all that there is as the version before did. */
export async function rollUpAllAsBefore(
  client: Client,
  whose: Whose[] = ["users", "all users"],
): Promise<void> {
  for (const one of whose) while ((await rollUpAsBefore(client, one)) > 0);
}

/** Fills empty rollups with what the version before would have made of all calls, in one go. */
export async function fillAsBefore(client: Client): Promise<void> {
  for (const [table, dimensions] of Object.entries(LEVELS))
    for (const grain of GRAINS) {
      const key = `user_did, timestamp, ${dimensions.join(", ")}`;
      await client.query(`insert into ${table} (user_did, time_type, timestamp, ${dimensions.join(", ")}, ${MEASURES.join(", ")})
        select user_did, '${grain}', timestamp, ${dimensions.join(", ")}, ${SUMS}
          from (select whose.user_did, date_bin('${WIDTHS[grain]}', call_time, '2000-01-01 00:00+00') as timestamp, type, provider_id, model,
                       coalesce(app_did, '') as app_did, status, ${OF_CALLS}
                  from model_calls cross join lateral (values (model_calls.user_did), ('')) as whose(user_did) where voided_at is null) as calls
         group by ${key}`);
    }
  await client.query("delete from model_call_changes");
  await client.query("vacuum (analyze)");
}

/** What is said of a user (of all users by ''), and what it should be: the calls, and those that were dropped (`dropped_calls`). */
const read = (changed: string, rolled: string) => `
  with changed as materialized (select distinct user_did, quarter from model_call_changes where $1 in ('', user_did)), ${changed}
  rolled as (${rolled}
    union all
    select 1, 1, coalesce(total_usage, 0) from model_calls as call join changed on changed.user_did = call.user_did and quarter = quarter_of(call_time)
     where voided_at is null),
  dropped as (select coalesce(sum(calls), 0) as calls, coalesce(sum(total_usage), 0) as total_usage from dropped_calls where $1 in ('', user_did))
  select (select coalesce(sum(sign * calls), 0) || ' ' || coalesce(sum(sign * total_usage), 0) from rolled) as said,
         (select count(*) + (select calls from dropped) || ' ' || coalesce(sum(total_usage), 0) + (select total_usage from dropped)
            from model_calls where $1 in ('', user_did) and voided_at is null) as expected`;

/** As the version before read: days, with what has changed replaced. */
export const READ_AS_BEFORE = read(
  `stale as materialized (select quarter from changed where $1 = '' and user_did = ''),`,
  `
    select 1 as sign, calls, total_usage from model_call_stats where user_did = $1 and time_type = 'day'
    union all
    select -1, calls, total_usage from model_call_stats where user_did = '' and time_type = 'quarter' and timestamp in (select quarter from stale)
    union all
    select 1, calls, total_usage from model_call_stats where user_did <> '' and time_type = 'quarter' and timestamp in (select quarter from stale)
    union all
    select -1, calls, total_usage from model_call_stats as rollup join changed on changed.user_did = rollup.user_did and quarter = timestamp
     where changed.user_did <> '' and time_type = 'quarter'`,
);

const USAGE = "coalesce(input_tokens, 0) + coalesce(output_tokens, 0) + coalesce(other_usage, 0)";

/** As it is read now: weeks by type. */
export const READ_NOW = read(
  "",
  `
    select 1 as sign, calls, ${USAGE} as total_usage from model_call_stats
     where user_id = (select id from model_call_users where did = $1) and time_type = 6 and slice = 0
    union all
    select -1, calls, ${USAGE} from changed join model_call_users on did = user_did join model_call_stats on user_id = id
     where time_type in (0, 1, 2) and slice = slice_of(user_did) and timestamp = quarter_number(quarter)`,
);
