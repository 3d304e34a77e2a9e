import { Migration } from "@mikro-orm/migrations";

/**
 * Adds `sum8`, which adds whole numbers up as whole numbers: exact, or an error (22003) where the sum is no bigint. `sum` adds up
 * bigints as numerics, which takes longer.
 */
export class WholeSums extends Migration {
  override up(): void {
    this.addSql(
      `create aggregate sum8(int8) (sfunc = int8pl, stype = int8, combinefunc = int8pl, parallel = safe)`,
    );
  }

  override down(): void {
    this.addSql(`drop aggregate sum8(int8)`);
  }
}
