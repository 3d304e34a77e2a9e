import { describe, expect, it } from "vitest";
import { type ModelCall, NOTHING_KNOWN } from "@usage-stats/core";
import { modelCallSchema, parseModelCall } from "../../src/calls/model-call.ts";

const MINIMAL = {
  id: "call-1",
  userDid: "did:abt:z1test",
  providerId: "openai",
  model: "gpt-4o",
  type: "chatCompletion",
  status: "success",
  callTime: "2025-11-02T16:00:00.123Z",
};

function parsed(change: object): ModelCall {
  const result = parseModelCall({ ...MINIMAL, ...change });
  if (!("call" in result)) throw new Error(result.reason);
  return result.call;
}

function refused(change: object) {
  const result = parseModelCall({ ...MINIMAL, ...change });
  if ("call" in result) throw new Error("accepted");
  return result;
}

describe("a logged call", () => {
  it("needs only who, what and when; the rest is unknown, its price too", () => {
    expect(parsed({})).toEqual({
      ...MINIMAL,
      callTime: new Date("2025-11-02T16:00:00.123Z"),
      ...NOTHING_KNOWN,
    });
  });

  it("takes every field, and null for whatever may be unknown", () => {
    const full = {
      ...parsed({}),
      appDid: "z2app",
      inputTokens: 3,
      outputTokens: 0,
      cachedInputTokens: 1,
      cacheWriteTokens: 2,
      reasoningTokens: 0,
      totalUsage: 9,
      credits: "12.50",
      durationMs: 7,
      ttfbMs: 5,
      errorReason: "no",
      requestId: "r",
      traceId: "t",
      keyId: "key-1",
      runId: "run-2",
      parentRunId: "run-1",
      conversationId: "c",
      metadata: { a: [1, { b: null }] },
    };
    expect(parsed({ ...full, callTime: full.callTime.toISOString() })).toEqual(full);
    const unknown = { ...parsed({}), callTime: MINIMAL.callTime };
    expect(parsed(unknown)).toEqual(parsed({}));
  });

  it.each(Object.keys(MINIMAL))("is not a call without %s", (field) => {
    expect(refused({ [field]: undefined })).toEqual({
      field,
      value: undefined,
      reason: `${field} is missing.`,
    });
    expect(refused({ [field]: null })).toMatchObject({ field, value: null });
  });

  it.each([[null], [[]], ["text"], [7], [undefined]])("is an object, not %j", (value) => {
    expect(parseModelCall(value)).toEqual({ field: "", value, reason: "A call must be a JSON object." });
  });

  it("has no other fields, whatever their names", () => {
    expect(refused({ credit: 3 })).toEqual({
      field: "credit",
      value: 3,
      reason: 'A call has no field named "credit".',
    });
    for (const field of ["__proto__", "constructor", "toString"]) {
      const value: unknown = JSON.parse(
        `{${JSON.stringify(MINIMAL).slice(1, -1)},"${field}":{"credits":"5"}}`,
      );
      expect(parseModelCall(value)).toEqual({
        field,
        value: { credits: "5" },
        reason: `A call has no field named "${field}".`,
      });
    }
  });

  it("has a type and a status of the known ones", () => {
    expect(refused({ type: "chat" })).toEqual({
      field: "type",
      value: "chat",
      reason:
        "type must be one of chatCompletion, embedding, imageGeneration, audioGeneration, video, custom.",
    });
    expect(refused({ status: "" }).reason).toBe("status must be one of processing, success, failed.");
  });

  it("is also a schema, for a whole request's", () => {
    expect(modelCallSchema.parse(MINIMAL)).toEqual(parsed({}));
  });
});

describe("names", () => {
  it("may hold any characters but control characters and halves", () => {
    expect(parsed({ id: 'a b/"\\;ü😀' }).id).toBe('a b/"\\;ü😀');
    for (const bad of ["a\0", "a\n", "\u007f", "\u0085", "\ud83d", "\ude00x"])
      expect(refused({ model: bad }).field).toBe("model");
  });

  it("have 1 to 256 characters, an id to 128", () => {
    expect(parsed({ userDid: "u".repeat(256), id: "i".repeat(128) }).id).toHaveLength(128);
    expect(refused({ id: "i".repeat(129) }).reason).toBe("id must be text of 1 to 128 characters.");
    expect(refused({ appDid: "" }).reason).toBe("appDid must be text of 1 to 256 characters.");
    expect(refused({ userDid: 5 }).field).toBe("userDid");
  });

  it("fit into an index in every script", () => {
    expect(parsed({ model: "模".repeat(170) }).model).toHaveLength(170);
    expect(refused({ model: "模".repeat(171) }).reason).toBe(
      "model must be at most 512 bytes long in UTF-8.",
    );
  });
});

describe("keys, runs and conversations", () => {
  it.each(["keyId", "runId", "parentRunId", "conversationId"])(
    "%s has 1 to 128 characters, 256 bytes",
    (field) => {
      for (const good of ["x".repeat(128), "é".repeat(128)])
        expect(parsed({ [field]: good })).toMatchObject({ [field]: good });
      for (const bad of ["", "x".repeat(129), 5])
        expect(refused({ [field]: bad }).reason).toBe(`${field} must be text of 1 to 128 characters.`);
      expect(refused({ [field]: "模".repeat(86) }).reason).toBe(
        `${field} must be at most 256 bytes long in UTF-8.`,
      );
      expect(refused({ [field]: "a\n" }).reason).toContain("control characters");
    },
  );
});

describe("tags", () => {
  const DECLARED = ["team", "project"];
  const read = (tags: unknown, declared = DECLARED) => {
    const result = parseModelCall({ ...MINIMAL, tags }, declared);
    return "call" in result ? result.call.tags : result.reason;
  };

  it("are text without blanks around it, in the order of their names, whatever they were sent in", () => {
    expect(read({ team: " search\t", project: "p" })).toEqual({ team: "search", project: "p" });
    const one = JSON.stringify(read({ team: "a", project: "b" }));
    expect(JSON.stringify(read({ project: "b", team: " a " }))).toBe(one);
  });

  it("of nothing are none", () => {
    for (const none of [{}, null, undefined]) expect(read(none)).toBeNull();
  });

  it("are those that are declared, and others are refused by their names", () => {
    expect(read({ team: "a", taem: "b" })).toBe(
      'tags must not hold "taem": the declared tags are team, project.',
    );
    expect(read({ team: "a" }, [])).toBe('tags must not hold "team": no tags are declared.');
    for (const name of ["__proto__", "constructor", "toString", ""])
      expect(read(JSON.parse(`{"${name}":"x"}`))).toBe(
        `tags must not hold "${name}": the declared tags are team, project.`,
      );
  });

  it("have 1 to 128 bytes", () => {
    for (const good of ["x", "x".repeat(128), "é".repeat(64), ` ${"x".repeat(128)} `])
      expect(read({ team: good })).toEqual({ team: good.trim() });
    for (const bad of ["", " ", "x".repeat(129), "é".repeat(65), "a\nb", "\ud800", 5, null, true, {}])
      expect(read({ team: bad })).toBe(
        'tags must hold text of 1 to 128 bytes for "team", without control characters or half of a character.',
      );
  });

  it.each([[[]], ["team"], [5]])("%j is no object of them", (tags) => {
    expect(read(tags)).toBe("tags must be a JSON object, or null.");
  });

  it("are at most eight", () => {
    const many = Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`t${i}`, "x"]));
    expect(read(many, Object.keys(many))).toBe("tags must hold at most 8 tags.");
    delete many["t8"];
    expect(read(many, Object.keys(many))).toEqual(many);
  });

  it("tell what field is at fault", () => {
    expect(refused({ tags: { team: "a" } })).toMatchObject({ field: "tags", value: { team: "a" } });
  });
});

describe("callTime", () => {
  it.each([
    ["2025-11-02T16:00:00Z", "2025-11-02T16:00:00.000Z"],
    ["2025-11-02T21:45:00.5+05:45", "2025-11-02T16:00:00.500Z"],
    ["2025-11-02T16:00:00.123999999Z", "2025-11-02T16:00:00.123Z"],
    ["2000-01-01T00:00:00Z", "2000-01-01T00:00:00.000Z"],
    ["2099-12-31T23:59:59.999Z", "2099-12-31T23:59:59.999Z"],
    [1762099200, "2025-11-02T16:00:00.000Z"],
    [1762099200.001, "2025-11-02T16:00:00.001Z"],
    [1762099200.1239998, "2025-11-02T16:00:00.123Z"],
    [946684800, "2000-01-01T00:00:00.000Z"],
  ])("%j is %s", (callTime, expected) => expect(parsed({ callTime }).callTime.toISOString()).toBe(expected));

  it("keeps every millisecond of unix seconds", () => {
    for (let ms = 1762099200000; ms < 1762099203000; ms += 1)
      expect(parsed({ callTime: ms / 1000 }).callTime.getTime()).toBe(ms);
  });

  it.each([
    ["2025-11-02T16:00:00"],
    ["2025-11-02"],
    ["yesterday"],
    ["2025-02-29T00:00:00Z"],
    ["2025-11-02T24:00:00Z"],
    ["1762099200"],
    [true],
    [{}],
  ])("%j is not an instant", (callTime) =>
    expect(refused({ callTime })).toEqual({
      field: "callTime",
      value: callTime,
      reason:
        "callTime must be an ISO 8601 instant with Z or an offset, such as 2026-01-31T00:00:00Z, or a number of unix seconds.",
    }),
  );

  it("says that milliseconds look like milliseconds", () => {
    expect(refused({ callTime: 1762099200123 }).reason).toBe(
      "callTime must be in unix seconds; this looks like milliseconds, so divide it by 1,000.",
    );
  });

  it.each([
    ["1999-12-31T23:59:59.999Z"],
    ["2100-01-01T00:00:00Z"],
    ["2099-12-31T23:59:59-01:00"],
    [0],
    [-5],
    [1e-7],
    [4102444800],
  ])("%j is out of range", (callTime) => {
    expect(refused({ callTime }).reason).toBe("callTime must be between the years 2000 and 2099.");
  });
});

describe("counts", () => {
  it.each(["inputTokens", "outputTokens", "cachedInputTokens", "totalUsage"])(
    "%s is a whole number from 0 to a trillion",
    (field) => {
      expect(parsed({ [field]: 1e12 })).toMatchObject({ [field]: 1e12 });
      for (const bad of [-1, 1.5, 1e12 + 1, "5", Infinity, NaN]) {
        expect(refused({ [field]: bad }).reason).toBe(
          `${field} must be a whole number from 0 to 1,000,000,000,000, or null where unknown.`,
        );
      }
    },
  );

  it.each(["chatCompletion", "embedding", "audioGeneration", "custom"])(
    "the usage of %s is its tokens, unless it says otherwise",
    (type) => {
      expect(parsed({ type, inputTokens: 5, outputTokens: 3 }).totalUsage).toBe(8);
      expect(parsed({ type, outputTokens: 3 }).totalUsage).toBe(3);
      expect(parsed({ type, inputTokens: 0 }).totalUsage).toBe(0);
      expect(parsed({ type }).totalUsage).toBeNull();
      expect(parsed({ type, inputTokens: 5, totalUsage: 0 }).totalUsage).toBe(0);
    },
  );

  it.each(["imageGeneration", "video"])("the usage of %s is not in tokens", (type) => {
    expect(parsed({ type, inputTokens: 5 }).totalUsage).toBeNull();
    expect(parsed({ type, totalUsage: 2 }).totalUsage).toBe(2);
  });
});

describe("durations", () => {
  it("are rounded to milliseconds", () => {
    expect(parsed({ durationMs: 12.5, ttfbMs: 0.4 })).toMatchObject({ durationMs: 13, ttfbMs: 0 });
    for (const bad of [-0.1, 1e12 + 1, "5", Infinity])
      expect(refused({ durationMs: bad }).field).toBe("durationMs");
  });
});

describe("credits", () => {
  it.each([
    ["0.00012345", "0.00012345"],
    ["999999999999.99999999", "999999999999.99999999"],
    [0.1, "0.1"],
    [12, "12"],
    [1e-7, "0.0000001"],
    [1.5e-7, "0.00000015"],
    [3e-8, "0.00000003"],
    [0, "0"],
    [-0, "0"],
    [null, null],
    [undefined, null],
    [999999999999, "999999999999"],
  ])("%j is %s", (credits, expected) => expect(parsed({ credits }).credits).toBe(expected));

  it.each([
    ["0.000000001", "must have at most 8 decimals; round it before sending it"],
    [1e-9, "must have at most 8 decimals; round it before sending it"],
    [1.5e-8, "must have at most 8 decimals; round it before sending it"],
    [0.1 + 0.2, "must have at most 8 decimals; round it before sending it"],
    [5e-324, "must have at most 8 decimals; round it before sending it"],
    ["1000000000000", "must have at most 12 digits before the point"],
    [1e12, "must have at most 12 digits before the point"],
    [1e300, "must have at most 12 digits before the point"],
    ["-1", "must not be negative"],
    [-1e-7, "must not be negative"],
    ["", "must be a number or a plain decimal such as 0.00012345"],
    ["1,5", "must be a number or a plain decimal such as 0.00012345"],
    [".5", "must be a number or a plain decimal such as 0.00012345"],
    ["NaN", "must be a number or a plain decimal such as 0.00012345"],
    [Infinity, "must be a number or a plain decimal such as 0.00012345"],
  ])("%j is refused: %s", (credits, reason) =>
    expect(refused({ credits })).toEqual({ field: "credits", value: credits, reason: `credits ${reason}.` }),
  );
});

describe("texts", () => {
  it("cuts a long error reason, never within a character", () => {
    expect(parsed({ errorReason: "x".repeat(5000) }).errorReason).toBe("x".repeat(1000));
    expect(parsed({ errorReason: `${"x".repeat(999)}😀` }).errorReason).toBe("x".repeat(999));
    expect(parsed({ errorReason: "line\nbreak" }).errorReason).toBe("line\nbreak");
  });

  it.each(["errorReason", "requestId", "traceId"])(
    "%s holds neither NUL nor half of a character",
    (field) => {
      for (const bad of ["a\0b", "\udc00"])
        expect(refused({ [field]: bad }).reason).toBe(
          `${field} must not contain NUL or half of a character.`,
        );
    },
  );

  it("limits ids of requests and traces", () => {
    expect(refused({ traceId: "t".repeat(257) }).reason).toBe(
      "traceId must be text of at most 256 characters.",
    );
  });
});

describe("metadata", () => {
  const nested = (levels: number): object => (levels === 1 ? {} : { a: nested(levels - 1) });

  it("is kept as it is", () => {
    const metadata: unknown = JSON.parse('{"tags":["a",1.5,true,null],"__proto__":{"x":1},"":{}}');
    expect(JSON.stringify(parsed({ metadata }).metadata)).toBe(JSON.stringify(metadata));
  });

  it.each([[[]], ["x"], [5], [new Date(0)]])("%j is not an object", (metadata) => {
    expect(refused({ metadata }).reason).toBe("metadata must be a JSON object, or null.");
  });

  it("is at most 12 levels deep and 4 KB long", () => {
    expect(parsed({ metadata: nested(12) }).metadata).toEqual(nested(12));
    expect(refused({ metadata: nested(13) }).reason).toBe(
      "metadata must not be nested more than 12 levels deep.",
    );
    const deep: unknown = JSON.parse(`{"a":${"[".repeat(100_000)}${"]".repeat(100_000)}}`);
    expect(refused({ metadata: deep }).reason).toBe("metadata must not be nested more than 12 levels deep.");
    expect(parsed({ metadata: { a: "x".repeat(4096 - 8) } }).metadata).toBeTruthy();
    for (const metadata of [{ a: "x".repeat(4096 - 7) }, { a: "模".repeat(1363) }]) {
      expect(refused({ metadata }).reason).toBe("metadata must be at most 4,096 bytes long as JSON.");
    }
  });

  it.each([[{ a: "\0" }], [{ a: ["\ud800"] }], [{ "b\0": 1 }], [{ a: { "\udfff": 1 } }]])(
    "%j cannot be stored",
    (metadata) => {
      expect(refused({ metadata }).reason).toBe("metadata must not contain NUL or half of a character.");
    },
  );

  it("holds nothing that JSON would change or drop", () => {
    expect(refused({ metadata: { a: Infinity } }).reason).toBe(
      "metadata must not contain a number that is too large.",
    );
    for (const value of [undefined, 5n, () => 1, new Date(0), new Map()]) {
      expect(refused({ metadata: { value } }).reason).toBe("metadata must contain nothing but JSON.");
    }
  });
});
