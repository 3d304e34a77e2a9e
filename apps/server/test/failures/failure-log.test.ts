import { UsageStatsError } from "@usage-stats/core";
import { ConnectionRefusal } from "@usage-stats/db";
import { beforeEach, describe, expect, it } from "vitest";
import { createFailureLog, type FailureLog } from "../../src/failures/failure-log.ts";

let now: number;
let written: string[];
let log: FailureLog;

beforeEach(() => {
  now = 0;
  written = [];
  log = createFailureLog(
    (text) => written.push(text),
    () => now,
  );
});

const refused = Object.assign(new Error("connect ECONNREFUSED 127.0.0.1:1"), { code: "ECONNREFUSED" });

describe("a request's failure", () => {
  const request = { requestId: "abc", operation: "GET /x" };

  it("is one line where something was unavailable", () => {
    log.request({ ...request, error: new UsageStatsError("unavailable", "No.", { cause: refused }) });
    expect(written).toEqual(["request abc: 503 unavailable: GET /x: connect ECONNREFUSED 127.0.0.1:1"]);
  });

  it("is one line where a database cannot be connected to for a reason of its own", () => {
    log.background("rolling up")(new ConnectionRefusal('There is no database "x".'));
    expect(written).toEqual(['rolling up failed: There is no database "x".']);
  });

  it("has the frames of its stack below where it is a fault of ours", () => {
    log.request({ ...request, error: new Error("hunter2") });
    const [first, ...frames] = written.join("\n").split("\n");
    expect(first).toBe("request abc: 500 internal: GET /x: Error");
    expect(frames[0]).toMatch(/^ {4}at .*failure-log\.test\.ts/);
    expect(written.join("")).not.toContain("hunter2");
  });

  it("says so where the answer had begun", () => {
    log.request({ ...request, error: new UsageStatsError("unavailable", "No."), midway: true });
    expect(written).toEqual(["request abc: 503 unavailable: GET /x: broken off midway: No."]);
  });
});

describe("a failure in the background", () => {
  it("is told once a minute, with how often it was", () => {
    const tell = log.background("rolling up");
    for (now = 0; now < 60_000; now += 1_000) tell(refused);
    expect(written).toEqual(["rolling up failed: connect ECONNREFUSED 127.0.0.1:1"]);
    tell(refused);
    expect(written.slice(1)).toEqual([
      "rolling up failed: connect ECONNREFUSED 127.0.0.1:1 (and 59 times since it was last told)",
    ]);
  });

  it("hides no other, and none of something else", () => {
    const tell = log.background("rolling up");
    for (let i = 0; i < 3; i++) {
      tell(refused);
      tell(
        Object.assign(new Error("the database system is shutting down"), {
          code: "57P01",
          severity: "FATAL",
        }),
      );
      log.background("listening")(refused);
    }
    expect(written).toEqual([
      "rolling up failed: connect ECONNREFUSED 127.0.0.1:1",
      "rolling up failed: SQLSTATE 57P01 the database system is shutting down",
      "listening failed: connect ECONNREFUSED 127.0.0.1:1",
    ]);
  });
});
