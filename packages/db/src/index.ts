export { createApiKeyStore } from "./access/api-key-store.ts";
export { createAuditLog } from "./access/audit-log.ts";
export { createViewerSecret } from "./access/viewer-secret.ts";
export { checkDatabase } from "./connection/check-database.ts";
export { ConnectionRefusal } from "./connection/connection-refusal.ts";
export { connectionTarget } from "./connection/connection-target.ts";
export { serverErrorOf, type ServerError } from "./connection/sqlstate.ts";
export { createClient } from "./connection/database-client.ts";
export { explainFailure } from "./connection/explain-failure.ts";
export { closeDatabase } from "./connection/close-database.ts";
export { checkedOrmConfig, isEmpty, openDatabase, takesWrites, type Database } from "./database.ts";
export { isMigrated, migrate } from "./migrate.ts";
export { databaseFailure } from "./database-failure.ts";
export { EXPECTED_INDEXES } from "./expected-indexes.ts";
export { announceOver } from "./listening/announce.ts";
export { createEar, type Ear } from "./listening/ear.ts";
export { type Announce, Deaf } from "./listening/prove-hearing.ts";
export { type DatabaseSettings } from "./orm-config.ts";
export { listenForChanges, type ChangeListener } from "./rolling/listen-for-changes.ts";
export { createRebuilder, logForRebuild, planRebuild } from "./rolling/rebuild.ts";
export { startRollupWorker, type RollupWorker } from "./rolling/rollup-worker.ts";
export {
  verifyRollups,
  type RollupDifference,
  type Verification,
  type VerifyOptions,
} from "./rolling/verify.ts";
export { countChanges } from "./rolling/change-log.ts";
export { CannotRollUp } from "./rolling/set-aside.ts";
export { DEFAULT_BATCH, rollUp, type RollUpOptions } from "./rolling/roll-up.ts";
export { createRankingRepository } from "./ranking-repository.ts";
export { createRunReader } from "./runs/run-reader.ts";
export { createCallReader } from "./listing/call-reader.ts";
export { createUsageRepository } from "./usage-repository.ts";
export { createCallWriter } from "./writing/call-writer.ts";
export { ensurePartitionsAhead } from "./writing/partitions.ts";
export { recordAllCalls } from "./writing/record-all-calls.ts";
export { sharesStatement } from "./writing/shares-statement.ts";
