export { createTestDatabase, type TestDatabase } from "./test-database.ts";
export { hasOpenssl, startTlsPostgres, type TlsPostgres } from "./tls-postgres.ts";
