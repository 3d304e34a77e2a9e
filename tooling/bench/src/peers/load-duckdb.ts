import { createRequire } from "node:module";
import { join } from "node:path";

// Not a dependency, because its 70 MB would be fetched by everybody who runs `npm start` (docs/decisions/0035).
const FOLDER = ".toolchain/duckdb";

/** How DuckDB is fetched for the bench, by hand and once. */
export const FETCH_DUCKDB = `npm install --prefix ${FOLDER} --ignore-scripts --no-audit --no-fund @duckdb/node-api@1.5.6-r.1`;

/** As much of @duckdb/node-api as is used here. */
export type DuckDb = {
  DuckDBInstance: { create(path: string): Promise<{ connect(): Promise<DuckDbConnection> }> };
};
type DuckDbConnection = {
  run(sql: string): Promise<unknown>;
  createAppender(table: string): Promise<DuckDbAppender>;
  prepare(sql: string): Promise<DuckDbStatement>;
};
export type DuckDbAppender = {
  appendVarchar(value: string): void;
  appendBigInt(value: bigint): void;
  appendDouble(value: number): void;
  endRow(): void;
  closeSync(): void;
};
type DuckDbStatement = {
  bind(values: string[]): void;
  runAndReadAll(): Promise<{ getRowObjectsJS(): Record<string, unknown>[] }>;
};

/** DuckDB, or `null` where it was not fetched. */
export function loadDuckDb(): DuckDb | null {
  const requireFetched = createRequire(join(import.meta.dirname, "../../../..", FOLDER, "package.json"));
  try {
    return requireFetched("@duckdb/node-api") as DuckDb;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "MODULE_NOT_FOUND") return null;
    throw error;
  }
}
