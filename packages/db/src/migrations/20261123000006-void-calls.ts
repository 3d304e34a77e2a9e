import { Migration } from "@mikro-orm/migrations";

/** A call that was voided is kept, with when that was, but counts nowhere. */
export class VoidCalls extends Migration {
  override up(): void {
    this.addSql(`alter table model_calls add column voided_at timestamptz`);
  }

  override down(): void {
    // What was voided would count again: at once if it was kept, once it is repeated if it was not.
    this.addSql(`
      do $$ declare voided bigint; begin
        select count(*) into voided from model_calls where voided_at is not null;
        if voided > 0 then
          raise exception 'There are % voided calls, which would count again without this migration. To go back all the same, delete them first: delete from model_calls where voided_at is not null. They count again if they are then repeated.', voided;
        end if;
      end $$`);
    this.addSql(`alter table model_calls drop column voided_at`);
  }
}
