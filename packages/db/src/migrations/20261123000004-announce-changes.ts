import { Migration } from "@mikro-orm/migrations";

/**
 * Announces changes of quarters that are over, in the transaction of the change: `NOTIFY usage_stats_changes` with the user,
 * or with nothing where there are many. Caches hear it from whoever writes, and rollup workers need not wait. Calls of the
 * current quarter, which are nearly all, announce nothing: transactions that do must commit one after the other.
 */
export class AnnounceChanges extends Migration {
  override up(): void {
    this.addSql(`
      create function announce_changes(users text[]) returns void language plpgsql as $$
      begin
        if cardinality(users) > 100 then
          perform pg_notify('usage_stats_changes', '');
        else
          perform pg_notify('usage_stats_changes', user_did) from unnest(users) as user_did;
        end if;
      end $$`);
    this.addSql(`
      create function announce_model_call_changes() returns trigger language plpgsql as $$
      begin
        perform announce_changes(array(
          select distinct user_did from new_changes
           where user_did <> '' and quarter < quarter_of(clock_timestamp()) limit 101));
        return null;
      end $$`);
    this.addSql(`
      create trigger announce_insert after insert on model_call_changes referencing new table as new_changes
        for each statement execute function announce_model_call_changes()`);
  }

  override down(): void {
    this.addSql(`drop trigger announce_insert on model_call_changes`);
    this.addSql(`drop function announce_model_call_changes()`);
    this.addSql(`drop function announce_changes(text[])`);
  }
}
