import { ModelCallStats } from "./20261123000002-model-call-stats.ts";
import { CAUGHT, DROP_HELPERS, MAKE_HELPERS, PROGRESS, TOO_LARGE } from "./adaptive-rollups/catching.ts";
import { COPY_ROWS, markStale, SUM_USERS, takeCaught, takePiece } from "./adaptive-rollups/copying.ts";
import { USE_NEW_ROLLUPS, USE_OLD_ROLLUPS } from "./adaptive-rollups/functions.ts";
import { ADD_OLD_MEASURES, FILL_OLD_TABLES, OLD_TABLES } from "./adaptive-rollups/old-rollups.ts";
import { grantAlike } from "./adaptive-rollups/rights.ts";
import {
  DROP_TABLES,
  MAKE_TABLES,
  NAME_TABLES,
  NEW_TABLES,
  NEXT,
  UNNAME_TABLES,
} from "./adaptive-rollups/tables.ts";
import { MAKE_VIEW } from "./adaptive-rollups/view.ts";
import { OnlineMigration, type Run } from "./online-migration.ts";

/** Whoever rolls up the old rollups holds it ("roll" in ASCII). */
const ROLLING = 0x726f6c6c;

/** How many old rows one transaction copies, about. */
const PIECE = 250_000;

/** How many weeks of users are copied again at once. */
const BATCH = 2_000;

/** So few are left to the transaction that exchanges the tables. */
const FEW = 200;

/**
 * One table of rollups with integer keys, in which a day or a week has rows of its own only where it is dense
 * (docs/decisions/0040-adaptive-rollups.md). It is filled from the rollups of before, while servers of before go on reading and rolling
 * those up, and takes their place in one transaction (docs/decisions/0041-upgrading-rollups-in-place.md).
 */
export class AdaptiveRollups extends OnlineMigration {
  override async up(): Promise<void> {
    if (await this.#exists("model_call_detail_stats")) await this.#upgrade();
    // Nobody has read the new rollups yet: servers wait for migrations to be done.
    await this.outsideTransaction(LOG_UNKNOWN);
  }

  /**
   * Makes the rollups of before anew from the fine rows. Which key made a call, and its tags, are forgotten in what was rolled up; they
   * are still in the calls, where those are. Stop the servers first: neither version can answer before this is done.
   */
  override async down(): Promise<void> {
    if (await this.#exists("model_call_detail_stats")) return;
    const old = new ModelCallStats(this.driver, this.config);
    old.up();
    await this.briefly([
      `lock table model_call_stats in access exclusive mode`,
      `drop view usage_rollups`,
      ...UNNAME_TABLES,
      ...old.getQueries().map(String),
      ...ADD_OLD_MEASURES,
      ...FILL_OLD_TABLES,
      grantAlike([NEXT], OLD_TABLES),
      ...USE_OLD_ROLLUPS,
      ...DROP_TABLES,
    ]);
  }

  async #upgrade(): Promise<void> {
    if (!(await this.#exists(PROGRESS))) await this.briefly([...MAKE_TABLES, ...MAKE_HELPERS]);
    let told = "";
    for (let weeks = await this.#weeks(); weeks.left > 0; weeks = await this.#weeks()) {
      const progress = `rollups: ${weeks.all - weeks.left} of ${weeks.all} weeks`;
      if (progress !== told) this.tell(progress);
      told = progress;
      await this.inTransaction((run) => copyPiece(run));
    }
    // Whoever asks right after the exchange needs to be planned for. The names are few.
    for (const table of [NEXT, ...NEW_TABLES.slice(1)])
      await this.outsideTransaction(`vacuum (analyze) ${table}`);
    await this.#catchUp();
    await this.inTransaction((run) => all(run, [hold, ...SUM_USERS]));
    await this.briefly(EXCHANGE);
  }

  async #exists(table: string): Promise<boolean> {
    const [row] = await this.outsideTransaction<{ exists: boolean }>(
      `select to_regclass(format('%I.${table}', current_schema())) is not null as exists`,
    );
    return row!.exists;
  }

  /** How many weeks there are, from the first of the old rollups to the last, and how many of them are not copied yet. */
  async #weeks(): Promise<{ all: number; left: number }> {
    const [row] = await this.outsideTransaction<{ all: string | null; left: string | null }>(
      `select (last_week - first_week) / 672 + 1 as all, (greatest(last_week, week) - week) / 672 + 1 as left from ${PROGRESS}`,
    );
    return { all: Number(row?.all ?? 0), left: Number(row?.left ?? 0) };
  }

  /** Copies again what was rolled up meanwhile, as long as that gets less: whoever rolls up faster has to wait for the rest. */
  async #catchUp(): Promise<void> {
    for (let before = Infinity; ;) {
      const caught = await this.#caught();
      if (caught <= FEW || caught > before / 2) return;
      before = caught;
      this.tell(`rollups: ${caught} weeks of users, which changed meanwhile`);
      for (let left = caught; left > 0; left -= BATCH)
        await this.inTransaction((run) => all(run, [hold, ...takeCaught(BATCH), ...COPY_ROWS]));
    }
  }

  async #caught(): Promise<number> {
    const [row] = await this.outsideTransaction<{ count: string }>(
      `select count(*) from (select distinct week, user_did from ${CAUGHT}) as caught`,
    );
    return Number(row!.count);
  }
}

// Should two migrate at once after all, one waits here, and goes on from where the other got to.
const hold = `select from ${PROGRESS} for update`;

/** Copies the next piece of old rollups, and says how far it got, in one transaction. */
async function copyPiece(run: Run): Promise<void> {
  const [progress] = await run<{ week: number | null; piece: number; pieces: number }>(
    `select week, piece, pieces from ${PROGRESS} for update`,
  );
  let { week, piece, pieces } = progress!;
  if (week === null) return;
  if (piece === 0) {
    // Weeks without anything are passed over.
    const [next] = await run<{ week: number | null }>(
      `select week_start(quarter_number(min(timestamp))) as week
         from model_call_detail_stats where time_type = 'quarter' and timestamp >= quarter_start(${week})`,
    );
    week = next!.week;
    if (week === null) return void (await run(`update ${PROGRESS} set week = null`));
    const [size] = await run<{ rows: string }>(
      `select count(*) as rows from model_call_detail_stats
        where time_type = 'quarter' and timestamp >= quarter_start(${week}) and timestamp < quarter_start(${week + 672})`,
    );
    pieces = Math.ceil(Number(size!.rows) / PIECE);
  }
  await all(run, [...takePiece(week, piece, pieces), ...COPY_ROWS]);
  piece += 1;
  if (piece === pieces) {
    await all(run, [markStale(week), ...SUM_USERS]);
    week += 672;
    piece = 0;
  }
  await run(`update ${PROGRESS} set week = ${week}, piece = ${piece}, pieces = ${pieces}`);
}

async function all(run: Run, statements: readonly string[]): Promise<void> {
  for (const statement of statements) await run(statement);
}

// Whoever rolled up as the version before does, while others wrote as this one does, did not know these measures, keys and tags.
const LOG_UNKNOWN = `
  insert into model_call_changes
  select distinct user_did, quarter_of(call_time) from model_calls
   where credits is null or cache_write_tokens is not null or reasoning_tokens is not null
      or key_id is not null or tags is not null`;

/**
 * Exchanges the tables. Until it is committed the old rollups answer, afterwards the new; in between nobody reads, for as long as it takes
 * to drop and to rename. Whoever is of the version before finds no column that they know, and fails.
 */
const EXCHANGE = [
  hold,
  // Nobody rolls up, or changes the old rollups by hand, any more: what is caught is all there is.
  `select pg_advisory_xact_lock(${ROLLING})`,
  `lock table model_call_detail_stats in share row exclusive mode`,
  ...takeCaught("all"),
  ...COPY_ROWS,
  ...SUM_USERS,
  `insert into model_call_changes select distinct user_did, quarter_start(timestamp) from ${TOO_LARGE}
    where not is_frozen(user_did, quarter_start(timestamp))`,
  // All users together are the sum of the users from now on.
  `delete from model_call_changes where user_did = ''`,
  `lock table ${OLD_TABLES.join(", ")} in access exclusive mode`,
  grantAlike(OLD_TABLES, [NEXT, ...NEW_TABLES.slice(1)]),
  `drop table ${OLD_TABLES.join(", ")}`,
  ...DROP_HELPERS,
  ...NAME_TABLES,
  ...USE_NEW_ROLLUPS,
  MAKE_VIEW,
  grantAlike(["model_call_stats"], ["usage_rollups"], "'SELECT'"),
];
