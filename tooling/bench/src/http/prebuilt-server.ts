// Hono on Node, and nothing else: sends what files hold. Arguments: a path and a file, as often as wanted.
import { readFileSync } from "node:fs";
import { serve } from "@hono/node-server";
import { Hono } from "hono";

const app = new Hono();
const args = process.argv.slice(2);
for (let i = 0; i < args.length; i += 2) {
  const bytes = readFileSync(args[i + 1]!);
  app.get(args[i]!, (context) => context.body(bytes, 200, { "content-type": "application/json" }));
}
serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }, ({ port }) => {
  console.log(`ready at http://127.0.0.1:${port}/`);
});
