import { Migration } from "@mikro-orm/migrations";

/** A call that was voided is kept, with when that was, but counts nowhere. */
export class VoidCalls extends Migration {
  override up(): void {
    this.addSql(`alter table model_calls add column voided_at timestamptz`);
  }

  override down(): void {
    this.addSql(`delete from model_calls where voided_at is not null`);
    this.addSql(`alter table model_calls drop column voided_at`);
  }
}
