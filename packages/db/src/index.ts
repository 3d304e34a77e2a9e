export { isEmpty, isMigrated, migrate, openDatabase, type Database } from "./database.ts";
export { databaseFailure } from "./database-failure.ts";
export { EXPECTED_INDEXES } from "./expected-indexes.ts";
export { ormConfig, type DatabaseSettings } from "./orm-config.ts";
export { DEFAULT_BATCH, rollUp, type RollUpOptions } from "./rolling/roll-up.ts";
export { readRawUsage } from "./reading/read-raw-usage.ts";
export { createUsageRepository } from "./usage-repository.ts";
export { createCallRecorder } from "./writing/call-recorder.ts";
export { ensurePartitionsAhead } from "./writing/partitions.ts";
