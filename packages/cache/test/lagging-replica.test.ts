import { expect, it } from "vitest";
import { createUpstashCache } from "../src/create-caches.ts";
import { clock } from "./stores.ts";
import { startLaggingUpstash } from "./lagging-upstash.ts";
import { createVersionedCalls } from "./versioned-calls.ts";

const USERS = ["alice", "bob", "carol"];

it("gives nothing that is older than a change, however late a replica is that answers what only reads", async () => {
  const upstash = await startLaggingUpstash(150);
  const servers = [0, 1].map(() =>
    createUpstashCache({ ...upstash, clock, ttlMs: 60_000, deadlineMs: 2_000 }),
  );
  const calls = createVersionedCalls(servers);
  let hits = 0;
  let asked = 0;
  const askAll = async () => {
    const answers = await Promise.all(
      servers.flatMap((server) => USERS.map((user) => calls.ask(server, user))),
    );
    asked += answers.length;
    hits += answers.filter(({ hit }) => hit).length;
  };
  try {
    for (let round = 0; round < 60; round++) {
      await calls.change(USERS[round % USERS.length]!);
      await askAll();
      await askAll();
    }
    expect(asked).toBe(720);
    expect(hits).toBeGreaterThan(200);
    expect(upstash.asked.replica).toBe(0);
  } finally {
    await Promise.all(servers.map((server) => server.close()));
    await upstash.close();
  }
});
