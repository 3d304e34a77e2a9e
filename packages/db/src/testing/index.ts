export { readRawRanking } from "./read-raw-ranking.ts";
export { readRawUsage } from "./read-raw-usage.ts";
export { startTcpProxy, type ProxyMode, type TcpProxy } from "./tcp-proxy.ts";
export { createTestDatabase, type TestDatabase } from "./test-database.ts";
export { testEar } from "./test-ear.ts";
export { hasOpenssl, startTlsPostgres, type TlsPostgres } from "./tls-postgres.ts";
