import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  type CallRecorder,
  type CallRecorderOptions,
  createCallRecorder,
  type DeliveryProblem,
  type RecordedCall,
} from "../../src/index.ts";
import { type FaultServer, LATE_MS, type Play, startFaultServer } from "./fault-server.ts";
import { recordedCall } from "./recorded-call.ts";

let server: FaultServer;
const recorders: CallRecorder[] = [];
let refused: [id: string, why: string][];
let rejected: [id: string, field: string, reason: string][];
let problems: DeliveryProblem[];

beforeEach(async () => {
  server = await startFaultServer();
  [refused, rejected, problems] = [[], [], []];
});
afterEach(async () => {
  await Promise.all(recorders.splice(0).map((open) => open.close({ timeoutMs: 0 })));
  await server.close();
});

/** A recorder that hardly waits. */
function recorder(options: Partial<CallRecorderOptions> = {}): CallRecorder {
  const made = createCallRecorder({
    url: server.url,
    token: "a key",
    flushMs: 10,
    retryMs: 2,
    longestRetryMs: 10,
    onRefused: (call, why) => refused.push([(call as Partial<RecordedCall> | undefined)?.id ?? "", why]),
    onRejected: (call, field, reason) => rejected.push([call.id, field, reason]),
    onError: (problem) => problems.push(problem),
    ...options,
  });
  recorders.push(made);
  return made;
}

const calls = (count: number, first = 1) =>
  Array.from({ length: count }, (_, index) => recordedCall({ id: String(first + index) }));
const storedIds = () => [...server.store.values()].map(({ id }) => id);
const ids = (count: number) => calls(count).map(({ id }) => id);
const sizes = () => server.requests.map((request) => request.calls.length);

describe("sending", () => {
  it("sends what has waited a while, together, with the token", async () => {
    const own = recorder();
    for (const call of calls(3)) expect(own.record(call)).toBe(true);
    expect(own.pending).toBe(3);
    expect(server.requests).toEqual([]);
    await vi.waitFor(() => expect(own.pending).toBe(0));
    expect(sizes()).toEqual([3]);
    expect(storedIds()).toEqual(ids(3));
    expect(server.requests[0]!.authorization).toBe("Bearer a key");
  });

  it("sends at once when there are enough for a request, by number or by size", async () => {
    const byNumber = recorder({ flushMs: 3_600_000, maxBatch: 2 });
    for (const call of calls(2)) byNumber.record(call);
    const bySize = recorder({ flushMs: 3_600_000, maxBatchBytes: 300 });
    for (const call of calls(2, 3)) bySize.record(call);
    await vi.waitFor(() => expect([byNumber.pending, bySize.pending]).toEqual([0, 1]));
    expect(new Set(sizes())).toEqual(new Set([1, 2]));
  });

  it("sends one request at a time, of no more calls and bytes than it may hold", async () => {
    const own = recorder({ maxBatch: 7 });
    for (const call of calls(50)) own.record(call);
    await own.flush();
    expect(Math.max(...sizes())).toBe(7);
    expect(server.mostAtOnce).toBe(1);
    expect(storedIds()).toEqual(ids(50));
  });

  it("waits for company again after a request", async () => {
    const own = recorder({ flushMs: 30 });
    own.record(recordedCall());
    await own.flush();
    for (const call of calls(2, 2)) {
      own.record(call);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await vi.waitFor(() => expect(own.pending).toBe(0));
    expect(sizes()).toEqual([1, 2]);
  });

  it("flushes what was recorded before, and resolves at once where there is nothing", async () => {
    const own = recorder({ flushMs: 3_600_000 });
    await own.flush();
    own.record(recordedCall());
    await own.flush();
    expect(own.pending).toBe(0);
    expect(storedIds()).toEqual(["1"]);
  });

  it("sends a call as it was when it was recorded, with dates and big integers, and without what is undefined", async () => {
    const own = recorder();
    const metadata = { at: new Date(0), tries: 3n };
    own.record({ ...recordedCall(), inputTokens: 12n as never, outputTokens: undefined, metadata });
    metadata.tries = 4n;
    await own.flush();
    expect(server.requests[0]!.calls).toEqual([
      {
        ...recordedCall(),
        callTime: "2025-06-20T10:00:00.000Z",
        inputTokens: 12,
        metadata: { at: "1970-01-01T00:00:00.000Z", tries: 3 },
      },
    ]);
  });

  it("sends what JSON would turn into an unknown as something to be rejected", async () => {
    const own = recorder();
    own.record(recordedCall({ inputTokens: NaN, outputTokens: (2n ** 60n) as never }));
    await own.flush();
    expect(server.requests[0]!.calls[0]).toMatchObject({
      inputTokens: "NaN",
      outputTokens: "1152921504606846976",
    });
  });

  it("keeps the order of a call's corrections, in one request or in several", async () => {
    const own = recorder({ maxBatch: 2 });
    for (const credits of ["1", "2", "3", "4", "5"]) own.record(recordedCall({ credits }));
    await own.flush();
    expect([...server.store.values()]).toMatchObject([{ credits: "5" }]);
  });
});

describe("a fault that may pass", () => {
  const BUSY: Play = { status: 503, headers: { "retry-after": "0" } };
  it.each<[string, Play, number | null]>([
    ["the connection is reset", "reset", null],
    ["the connection breaks in the middle of the request", "cut", null],
    ["the answer is lost after the calls were recorded", "lost", null],
    ["the server is busy", BUSY, 503],
    ["the server fails", { status: 500 }, 500],
    ["a proxy gives up", { status: 504, body: "upstream" }, 504],
    ["there are too many requests", { status: 429 }, 429],
    ["the request took too long", { status: 408 }, 408],
    ["the token is refused", { status: 401, body: { code: "invalid_key", detail: "No." } }, 401],
    ["the scope is missing", { status: 403 }, 403],
    ["there is nothing at the address", { status: 404 }, 404],
    ["somebody else answers", "html", 200],
    ["the answer is of some calls only", "partial", 200],
    ["the request is sent elsewhere", "elsewhere", 302],
  ])("is told of and tried again: %s", async (_, play, status) => {
    server.plays = [play, play, "ok"];
    const own = recorder();
    for (const call of calls(5)) own.record(call);
    await own.flush();
    expect(storedIds()).toEqual(ids(5));
    expect(server.requests).toHaveLength(3);
    expect(problems.map(({ attempt }) => attempt)).toEqual([1, 2]);
    expect(problems.map((problem) => problem.status)).toEqual([status, status]);
    expect(rejected).toEqual([]);
    expect(refused).toEqual([]);
  });

  it("is an answer that takes too long: the repeat counts once", async () => {
    server.plays = ["late", "ok"];
    const own = recorder({ requestTimeoutMs: LATE_MS / 2 });
    own.record(recordedCall());
    await own.flush();
    expect(problems).toMatchObject([{ status: null, message: "There was no answer within 60 ms." }]);
    expect(server.requests).toHaveLength(2);
    expect(server.store.size).toBe(1);
  });

  it("is a token that cannot be had, or never comes: it is asked for again before each request", async () => {
    let asked = 0;
    const token = () => {
      asked += 1;
      if (asked === 1) throw new Error("the vault is closed");
      if (asked === 2) return new Promise<string>(() => {});
      return `key ${asked}`;
    };
    server.plays = [{ status: 401 }, { status: 403 }];
    const own = recorder({ token, requestTimeoutMs: 50 });
    own.record(recordedCall());
    await own.flush();
    expect(server.requests.map(({ authorization }) => authorization)).toEqual([
      "Bearer key 3",
      "Bearer key 4",
      "Bearer key 5",
    ]);
    expect(problems[0]!.message).toBe("the vault is closed");
    expect(storedIds()).toEqual(["1"]);
  });

  it("is waited out as long as the server asks", async () => {
    server.plays = [{ status: 429, headers: { "retry-after": "1" } }];
    const own = recorder();
    own.record(recordedCall());
    await own.flush();
    const [first, second] = server.requests;
    expect(second!.at - first!.at).toBeGreaterThanOrEqual(990);
    expect(problems).toMatchObject([{ retryInMs: 1_000 }]);
  });

  it("takes along what was recorded meanwhile", async () => {
    server.plays = ["reset", "reset"];
    const own = recorder();
    own.record(recordedCall());
    void own.flush();
    await vi.waitFor(() => expect(problems).not.toEqual([]));
    own.record(recordedCall({ credits: "9" }));
    await own.flush();
    expect([...server.store.values()]).toMatchObject([{ credits: "9" }]);
  });
});

describe("a fault of the calls themselves", () => {
  it("one rejected call is told of, is not sent again, and stops no other", async () => {
    const own = recorder();
    for (const call of calls(5)) own.record(call.id === "3" ? { ...call, model: "bad" } : call);
    await own.flush();
    expect(rejected).toEqual([["3", "model", "model is bad."]]);
    expect(storedIds()).toEqual(["1", "2", "4", "5"]);
    expect(sizes()).toEqual([5]);
    expect(problems).toEqual([]);
  });

  it.each([400, 422])(
    "a call that spoils its request (%i) is found, told of, and stops no other",
    async (status) => {
      const body = { detail: "The body is not JSON.", field: "body", code: "bad_json" };
      server.refuse = (sent) =>
        sent.some(({ id }) => ["1", "50", "99"].includes(id)) ? { status, body } : null;
      const own = recorder({ flushMs: 3_600_000 });
      for (const call of calls(100)) own.record(call);
      await own.flush();
      expect(rejected).toEqual(["1", "50", "99"].map((id) => [id, "body", "The body is not JSON."]));
      expect(storedIds()).toEqual(ids(100).filter((id) => !["1", "50", "99"].includes(id)));
      expect(server.requests.length).toBeLessThan(60);
    },
  );

  it("requests that are too large become smaller, and one call that is too large is told of", async () => {
    server.refuse = (sent) =>
      sent.length > 10 || sent.some(({ id }) => id === "77")
        ? { status: 413, body: { detail: "Too large." } }
        : null;
    const own = recorder({ flushMs: 3_600_000 });
    for (const call of calls(100)) own.record(call);
    await own.flush();
    expect(rejected).toEqual([["77", "", "Too large."]]);
    expect(storedIds()).toEqual(ids(100).filter((id) => id !== "77"));
  });

  it("something that cannot be JSON is refused at once", () => {
    const own = recorder();
    const metadata: Record<string, unknown> = {};
    metadata["self"] = metadata;
    expect(own.record(recordedCall({ metadata }))).toBe(false);
    expect(own.record(undefined as never)).toBe(false);
    expect(own.pending).toBe(0);
    expect(refused).toEqual([
      ["1", "unreadable"],
      ["", "unreadable"],
    ]);
  });
});

describe("a buffer that is full", () => {
  it.each([
    ["of calls", { maxBufferedCalls: 10 }],
    ["of bytes", { maxBufferedBytes: 10 * JSON.stringify(recordedCall({ id: "10" })).length }],
  ])("%s refuses what is new, keeps what it has, and has room again", async (_, limits) => {
    server.plays = Array.from({ length: 3 }, () => "reset");
    const own = recorder({ ...limits, retryMs: 20 });
    expect(calls(12, 10).map((call) => own.record(call))).toEqual([
      ...Array.from({ length: 10 }, () => true),
      false,
      false,
    ]);
    expect(refused).toEqual([
      ["20", "full"],
      ["21", "full"],
    ]);
    await own.flush();
    expect(storedIds()).toEqual(calls(10, 10).map(({ id }) => id));
    expect(own.record(recordedCall({ id: "99" }))).toBe(true);
  });
});

describe("closing", () => {
  it("sends what is held, without waiting for company or for the next try, and takes nothing more", async () => {
    server.plays = ["reset"];
    const own = recorder({ flushMs: 3_600_000, retryMs: 60_000, longestRetryMs: 60_000, random: () => 1 });
    for (const call of calls(3)) own.record(call);
    const flushed = own.flush();
    await vi.waitFor(() => expect(problems).toHaveLength(1));
    expect(await own.close()).toEqual({ unsent: 0 });
    await flushed;
    expect(storedIds()).toEqual(ids(3));
    expect(own.record(recordedCall({ id: "4" }))).toBe(false);
    expect(refused).toEqual([["4", "closed"]]);
    expect(await own.close()).toEqual({ unsent: 0 });
  });

  it("gives up in time, gives back what is left, and says so to whoever waits for it", async () => {
    server.refuse = () => ({ status: 503 });
    const own = recorder();
    for (const call of calls(3)) own.record(call);
    const flushed = own.flush().catch(String);
    const before = performance.now();
    expect(await own.close({ timeoutMs: 100 })).toEqual({ unsent: 3 });
    expect(performance.now() - before).toBeLessThan(1_000);
    expect(refused).toEqual(ids(3).map((id) => [id, "unsent"]));
    expect(await flushed).toBe("Error: The recorder was closed with 3 calls unsent.");
    expect(own.pending).toBe(0);
    // What was under way may arrive yet.
    await new Promise((resolve) => setTimeout(resolve, 30));
    const after = server.requests.length;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(server.requests).toHaveLength(after);
  });

  it("gives up in time even if fetch takes no notice", async () => {
    const own = recorder({ fetch: () => new Promise(() => {}) });
    own.record(recordedCall());
    void own.flush().catch(() => {});
    expect(await own.close({ timeoutMs: 20 })).toEqual({ unsent: 1 });
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(problems).toEqual([]);
  });

  it("while trying in vain does not try without pause", async () => {
    server.refuse = () => ({ status: 503 });
    const own = recorder({ retryMs: 50, longestRetryMs: 50, random: () => 1 });
    own.record(recordedCall());
    await own.close({ timeoutMs: 210 });
    expect(server.requests.length).toBeLessThanOrEqual(6);
    expect(server.requests.length).toBeGreaterThanOrEqual(3);
  });
});

describe("a callback that throws", () => {
  it("is heard of as an uncaught error, and stops no call", async () => {
    const thrown: unknown[] = [];
    const spy = vi.spyOn(globalThis, "queueMicrotask").mockImplementation((task) => {
      try {
        task();
      } catch (error) {
        thrown.push(error);
      }
    });
    const own = recorder({
      onRejected() {
        throw new Error("mine");
      },
    });
    for (const call of calls(3)) own.record(call.id === "1" ? { ...call, model: "bad" } : call);
    await own.flush();
    spy.mockRestore();
    expect(storedIds()).toEqual(["2", "3"]);
    expect(thrown.map(String)).toContain("Error: mine");
  });
});

describe("settings", () => {
  it.each([
    [{ maxBatch: 0 }, "maxBatch must be a whole number from 1 to 5000. Got 0."],
    [{ flushMs: NaN }, "flushMs must be a whole number from 0 to 3600000. Got NaN."],
  ])("that cannot be are refused: %j", (options, message) => {
    expect(() => recorder(options)).toThrow(message);
  });
});
