import { expect, it } from "vitest";
import { readCloudEvents } from "../../src/index.ts";

const BATCH = "application/cloudevents-batch+json";

it("reads none of a batch of too many events: two million of them would take ten seconds", () => {
  const body = `[${"1,".repeat(1_999_999)}1]`;
  expect(() => readCloudEvents(BATCH, new Headers(), body, 5_000)).toThrow(
    expect.objectContaining({ code: "batch_too_large", limit: "5000" }) as Error,
  );
});

it("reads a batch of as many as there may be", () => {
  expect(readCloudEvents(BATCH, new Headers(), "[1,2]", 2).events).toHaveLength(2);
});
