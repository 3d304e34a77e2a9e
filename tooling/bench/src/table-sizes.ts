import { type Pool } from "pg";
import { tableText } from "./table-text.ts";

export type TableSize = { table: string; rows: number; mebibytes: number; indexMebibytes: number };

/** The size of every table, partitions added to the table they are of. */
export async function readTableSizes(pool: Pool): Promise<TableSize[]> {
  const { rows } = await pool.query<Record<keyof TableSize, string>>(`
    select coalesce(parent.relname, class.relname) as "table", sum(greatest(class.reltuples, 0))::bigint as rows,
           round(sum(pg_table_size(class.oid)) / 1048576, 1) as mebibytes,
           round(sum(pg_indexes_size(class.oid)) / 1048576, 1) as "indexMebibytes"
      from pg_class as class
      left join pg_inherits on inhrelid = class.oid left join pg_class as parent on parent.oid = inhparent
     where class.relkind = 'r' and class.relnamespace = 'public'::regnamespace
     group by 1 having sum(class.reltuples) > 0 order by sum(pg_total_relation_size(class.oid)) desc`);
  return rows.map(({ table, ...sizes }) => ({
    table,
    rows: Number(sizes.rows),
    mebibytes: Number(sizes.mebibytes),
    indexMebibytes: Number(sizes.indexMebibytes),
  }));
}

/**
 * Size of rollups with their indexes and what they need besides (dictionaries, the change log), as a share of that of the calls. A
 * goal of it holds for a table that is in use, so its free pages count.
 */
export function rollupShare(sizes: TableSize[]): number {
  const size = (isCounted: (table: string) => boolean) =>
    sizes
      .filter(({ table }) => isCounted(table))
      .reduce((sum, { mebibytes, indexMebibytes }) => sum + mebibytes + indexMebibytes, 0);
  return size((table) => /^(model_call|usage)_/.test(table)) / size((table) => table === "model_calls");
}

/** Sizes for people. */
export function sizesTable(sizes: TableSize[]): string {
  return tableText(
    ["table", "rows", "MiB", "MiB of indexes"],
    sizes.map(({ table, rows, mebibytes, indexMebibytes }) => [table, rows, mebibytes, indexMebibytes]),
  );
}
