import { OnlineMigration } from "./online-migration.ts";

/**
 * Announces a change of a quarter that was open when it was written and is over when it is committed. What is over is announced as it
 * is written; for the rest the decision is put off until the commit, when nearly always there is nothing to say.
 */
export class AnnounceAtCommit extends OnlineMigration {
  override async up(): Promise<void> {
    await this.briefly([
      // Of one transaction at most a hundred are named; then whoever listens is told that it may be anybody.
      `create or replace function announce_change_at_commit() returns trigger language plpgsql as $$
      declare
        told int := coalesce(nullif(current_setting('usage_stats.announced', true), ''), '0');
      begin
        if new.quarter + interval '15 minutes' <= clock_timestamp() and told <= 100 then
          perform set_config('usage_stats.announced', (told + 1)::text, true);
          perform pg_notify('usage_stats_changes', case when told < 100 then new.user_did else '' end);
        end if;
        return null;
      end $$`,
      `drop trigger if exists announce_at_commit on model_call_changes`,
      `create constraint trigger announce_at_commit after insert on model_call_changes deferrable initially deferred
        for each row when (new.user_did <> '' and new.quarter >= quarter_of(clock_timestamp()))
        execute function announce_change_at_commit()`,
    ]);
  }

  override async down(): Promise<void> {
    await this.briefly([
      `drop trigger if exists announce_at_commit on model_call_changes`,
      `drop function if exists announce_change_at_commit()`,
    ]);
  }
}
