// A process of its own that starts PostgreSQL, says so in one line of JSON, and stays. `node own-postgres.ts <dataDir|--test> [stop]`
import { startPostgres, startTestPostgres } from "../../../src/postgres/index.ts";

const [dataDir = "", then] = process.argv.slice(2);
const server =
  dataDir === "--test" ? await startTestPostgres() : await startPostgres({ dataDir, durability: "durable" });
if (then === "stop") await server.stop();
console.log(
  JSON.stringify({ url: server.url, pid: server.pid, adopted: server.adopted, uid: process.getuid?.() }),
);
if (then !== "stop") setInterval(() => undefined, 60_000);
