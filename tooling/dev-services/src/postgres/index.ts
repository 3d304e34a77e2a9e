export { startPostgres, type PostgresServer, type StartPostgresOptions } from "./start-postgres.ts";
export { startTestPostgres } from "./start-test-postgres.ts";
export { findRunningPostgres, type RunningPostgres } from "./find-running-postgres.ts";
export { type Durability } from "./server-arguments.ts";
export { PostgresStartError } from "./postgres-start-error.ts";
