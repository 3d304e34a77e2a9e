import { expect, it } from "vitest";
import { boundedRebuilder } from "../../src/rollups/bounded-rebuilder.ts";

it("answers whoever asks for a rebuild of a database that hangs, and passes on what one says that does not", async () => {
  const plan = { users: 1, quarters: 2, rollupRows: 3 };
  const hanging = { plan: async () => plan, start: () => new Promise<void>(() => {}) };
  const rebuilder = boundedRebuilder(hanging, 20);
  expect(await rebuilder.plan({})).toBe(plan);
  await expect(rebuilder.start({})).rejects.toMatchObject({ code: "unavailable" });
});
