import { gzipSync } from "node:zlib";
import { CALL_STATUSES, CALL_TYPES, type ListedCall } from "@usage-stats/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { callsCsv } from "../../../src/calls/calls-csv.ts";
import { guardFormula, unguardFormula } from "../../../src/csv/formula-guard.ts";
import { importCalls } from "../../../src/ingest/import/import-calls.ts";
import { type InputOptions, readerOf } from "../../../src/ingest/import/input-options.ts";
import { modelCall } from "../../model-calls.ts";
import { collect, inputOf } from "./inputs.ts";
import { memoryRecorder } from "./memory-recorder.ts";

const TAGS = ["team", "project"];

/** Reads a text as the command would read a file of it. */
async function read(text: string | Uint8Array, options: InputOptions = {}, chunkBytes = 65_536) {
  const input = await inputOf(text, chunkBytes);
  return collect(readerOf("calls.csv", options, TAGS)(input.bytes));
}
const callsOf = (lines: Awaited<ReturnType<typeof read>>) =>
  lines.map(({ result }) => ("call" in result ? result.call : result));

describe("the formula guard", () => {
  it("is before all that a spreadsheet would run, and comes off again", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[='+\-@\t\r]{1,4}x?$/)), (text) => {
        const guarded = guardFormula(text);
        expect(guarded).not.toMatch(/^[=+\-@\t\r]/);
        expect(unguardFormula(guarded)).toBe(text);
      }),
    );
  });
});

const name = fc
  .string({ unit: "grapheme", minLength: 1, maxLength: 30 })
  .filter((text) => /^[^\p{Cc}]+$/u.test(text) && text.isWellFormed());
const awkward = fc.constantFrom('a "b" c', "a,b", "=1+1", "'=x", "-5", "+", "@me", " x ", "ünï", "'");
const text = fc.oneof(name, awkward);
const tagValue = text
  .map((value) => value.trim())
  .filter((value) => value !== "" && Buffer.byteLength(value) <= 128);
const count = fc.option(fc.integer({ min: 0, max: 1e12 }), { nil: null });
const call: fc.Arbitrary<ListedCall> = fc
  .record({
    id: text,
    userDid: text,
    appDid: fc.option(text, { nil: null }),
    model: text,
    type: fc.constantFrom(...CALL_TYPES),
    status: fc.constantFrom(...CALL_STATUSES),
    callTime: fc.integer({ min: Date.UTC(2001), max: Date.UTC(2090) }).map((ms) => new Date(ms)),
    inputTokens: count,
    totalUsage: fc.integer({ min: 0, max: 1e12 }),
    cacheWriteTokens: count,
    reasoningTokens: count,
    credits: fc.option(
      fc
        .bigInt({ min: 0n, max: 10n ** 15n })
        .map((n) => `${n / 10n ** 8n}.${String(n % 10n ** 8n).padStart(8, "0")}`),
      { nil: null },
    ),
    durationMs: count,
    errorReason: fc.option(fc.oneof(awkward, fc.constant('broken\r\n"line"\n')), { nil: null }),
    keyId: fc.option(text, { nil: null }),
    tags: fc.option(
      fc.dictionary(fc.constantFrom(...TAGS), tagValue, { minKeys: 1, noNullPrototype: true }),
      {
        nil: null,
      },
    ),
    runId: fc.option(text, { nil: null }),
    metadata: fc.option(
      fc.dictionary(name, fc.oneof(fc.integer(), awkward), { maxKeys: 3, noNullPrototype: true }),
      { nil: null },
    ),
  })
  .map((change) => ({ ...modelCall(change), voidedAt: null }));

it("takes back what was exported, in any zone and any pieces, as it was", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(call, { minLength: 1, maxLength: 15 }),
      fc.constantFrom("UTC", "Asia/Kathmandu", "America/St_Johns", "Europe/Berlin"),
      fc.integer({ min: 1, max: 200 }),
      async (calls, timezone, chunkBytes) => {
        const pieces = await collect(callsCsv(pagesOf(calls), timezone));
        const found = callsOf(await read(pieces.join(""), {}, chunkBytes));
        expect(found).toEqual(calls.map(({ voidedAt: _, ...one }) => one));
      },
    ),
    { numRuns: 150 },
  );
});

async function* pagesOf(calls: ListedCall[]) {
  for (let i = 0; i < calls.length; i += 4) yield calls.slice(i, i + 4);
}

describe("CSV", () => {
  const HEADER = "timestamp,user,request,cost,tokens";
  const MAPPING: InputOptions = {
    map: ["callTime=timestamp", "userDid=user", "id=request", "credits=cost", "totalUsage=tokens"],
    set: ["model=gpt-4o", "providerId=openai", "type=custom", "status=success"],
  };

  it.each([
    ["unix seconds", "1750413600"],
    ["unix milliseconds", "1750413600000"],
    ["ISO 8601", "2025-06-20T10:00:00Z"],
    ["ISO 8601 elsewhere", "2025-06-20T15:30:00+05:30"],
  ])("with columns of other names, constants and times in %s is read", async (_, time) => {
    const lines = await read(
      `\ufeff${HEADER}\r\n${time},alice,r1,0.5,7\r\n\r\n${time},bob,r2,,\r\n`,
      MAPPING,
    );
    expect(callsOf(lines)).toMatchObject([
      {
        id: "r1",
        userDid: "alice",
        credits: "0.5",
        totalUsage: 7,
        model: "gpt-4o",
        callTime: new Date("2025-06-20T10:00:00Z"),
      },
      { id: "r2", userDid: "bob", credits: null, totalUsage: null },
    ]);
  });

  it("packed is read too, and imported twice adds nothing", async () => {
    const { callWriter } = memoryRecorder();
    const csv = gzipSync(`${HEADER}\n1750413600,alice,r1,0.5,7\n1750413601,alice,r2,0.5,7\n`);
    const counts = async () =>
      importCalls({
        input: await inputOf(csv),
        read: readerOf("x.csv.gz", MAPPING),
        callWriter,
        onError: "stop",
      });
    expect(await counts()).toMatchObject({ added: 2, repeated: 0 });
    expect(await counts()).toMatchObject({ added: 0, repeated: 2 });
  });

  it("tells of a bad line by its number, its field and why, and reads on", async () => {
    const lines = await read(
      `${HEADER}\n1750413600,alice,"r\n1",0.5,7\n1750413600,alice,r2,0.5,many\n1750413600,alice\n1750413600,alice,r4,0.5,7`,
      MAPPING,
    );
    expect(
      lines.map(({ number, result }) => [number, "call" in result ? "call" : [result.field, result.reason]]),
    ).toEqual([
      [3, ["id", "id must not contain control characters or half of a character."]],
      [4, ["totalUsage", expect.stringContaining("must be a whole number")]],
      [5, ["", "The line has 2 fields, and the header 5."]],
      [6, "call"],
    ]);
  });

  it.each([
    ["", {}, /empty: it has not even a header/],
    [
      "id,userDid\n1,2\n",
      {},
      /no column "providerId" for providerId.*It has: id, userDid.*--map providerId=<column>/s,
    ],
    [`${HEADER}\n`, { map: ["callTime=when"] }, /no column "when" for callTime/],
    ["id,id\n", {}, /a column twice/],
    [`${HEADER}\n"never closed`, MAPPING, /no CSV that can be read: Quote Not Closed/],
  ])("%j is refused as a whole", async (csv, options, message) => {
    await expect(read(csv, options)).rejects.toThrow(message);
  });

  it.each([
    [{ map: ["when=x"] }, /--map takes <field>=<column>.*no field when.*fields are id, userDid, /],
    [{ map: ["calltime=x"] }, /no field calltime: did you mean callTime\?/],
    [{ map: ["call_time=x"] }, /did you mean callTime\?/],
    [{ set: ["model"] }, /--set takes <field>=<value>\. Got model\./],
    [{ map: ["callTime=time,userDid=user"] }, /a space between: --map callTime=time userDid=user\./],
    [{ set: ["type=custom, status=success"] }, /a space between: --set type=custom status=success\./],
    [{ map: ["id=a", "id=b"] }, /--map names id twice/],
    [{ map: ["model=a"], set: ["model=b"] }, /model is in both --map and --set/],
    [{ map: ["model=a"], ignore: ["a"] }, /a is in both --map and --ignore/],
    [{ set: ["id=x"] }, /--set id is refused: .*the same call.*--map id=<column>/],
    [{ delimiter: "::" }, /--delimiter takes one character.*Got ::/],
    [{ encoding: "klingon" }, /--encoding does not know klingon/],
    [{ from: "aigne-hub" as const, set: ["model=x"] }, /--from knows the columns/],
  ])("options %j do not fit", (options, message) => {
    expect(() => readerOf("calls.csv", options)).toThrow(message);
    expect(() => readerOf("calls.ndjson", { map: ["id=x"] })).toThrow(/--map and --set are for CSV/);
  });
});

describe("a CSV's columns", () => {
  const ALL = "id,userDid,providerId,model,type,status,callTime";
  const refusal = (csv: string, options: InputOptions = {}) =>
    read(csv, options).then(
      () => "read",
      (error: Error) => error.message,
    );

  it("that nobody reads are named and refused", async () => {
    expect(await refusal(`${ALL},tok_in,tok out,cost\n`)).toBe(
      "Not read: tok_in, tok out, cost. Map them with --map <field>=<column>, or leave them out with --ignore tok_in 'tok out' cost.",
    );
    expect(await refusal(`${ALL},\n`)).toMatch(/^Not read: ""\. .*--ignore ''\.$/);
  });

  it.each([
    ["a mapped field's own name", `${ALL},user\n`, { map: ["userDid=user"] }, /^Not read: userDid\./],
    ["a constant's name", `${ALL}\n`, { set: ["type=custom"] }, /^Not read: type\./],
    ["a field in another case", `${ALL},InputTokens\n`, {}, /^Not read: InputTokens\./],
  ])("that nobody reads are refused: %s", async (_, csv, options, message) => {
    expect(await refusal(csv, options)).toMatch(message);
  });

  it("are left out where that is said, also if they are called like a field", async () => {
    const csv = `${ALL},cost,inputTokens,""\nc1,u,p,m,custom,success,1750413600,9,5,x\n`;
    const [line] = callsOf(await read(csv, { ignore: ["cost", "inputTokens", "", "not there"] }));
    expect(line).toMatchObject({ id: "c1", inputTokens: null, credits: null });
  });

  it("of tags are one of JSON, or one for each, of which each says more than that of all", async () => {
    const csv = [
      `${ALL},tags,tags.team,tags.project`,
      `c1,u,p,m,custom,success,1750413600,,'=search, x,`.replace("'=search, x", '"\'=search, x"'),
      `c2,u,p,m,custom,success,1750413600,"{""team"":""a"",""project"":""b""}",c,`,
      `c3,u,p,m,custom,success,1750413600,{},,`,
      `c4,u,p,m,custom,success,1750413600,[],c,`,
      `c5,u,p,m,custom,success,1750413600,"{""region"":""eu""}",c,`,
      `c6,u,p,m,custom,success,1750413600,team,,`,
    ].join("\n");
    const found = callsOf(await read(csv)).map((one) => ("tags" in one ? one.tags : [one.field, one.reason]));
    expect(found).toEqual([
      { team: "=search, x" },
      { team: "c", project: "b" },
      null,
      ["tags", "tags must be a JSON object, or null."],
      ["tags", 'tags must not hold "region": the declared tags are team, project.'],
      ["tags", "tags is not JSON."],
    ]);
    expect(await refusal(`${ALL},tags.region\n`)).toMatch(/^Not read: tags\.region\./);
    const ignoring = await read(`${ALL},tags.team\nc1,u,p,m,custom,success,1750413600,a\n`, {
      ignore: ["tags.team"],
    });
    expect(callsOf(ignoring)).toMatchObject([{ tags: null }]);
  });

  it("that are missing are all named at once, with what stands there likely meant", async () => {
    const message = await refusal("user,User_Did,callTime\n1,2,3\n", { set: ["status=success"] });
    expect(message).toMatch(
      /--map id=<column> userDid=User_Did providerId=<column> model=<column> type=<column>\n/,
    );
    expect(message).toMatch(/--set userDid=<value> providerId=<value> model=<value> type=<value>\n/);
    expect(message).toMatch(/Not read: user, User_Did\./);
    expect(message).not.toContain("--set id");
  });

  it.each([";", "\t", "|"])(
    "separated by %j are read if that is said, and hinted at if not",
    async (separator) => {
      const csv = `${ALL}\nc1,u,p,m,custom,success,1750413600\n`.replaceAll(",", separator);
      const shown = separator === "\t" ? "tab" : separator;
      expect(await refusal(csv)).toContain(
        separator === "\t" ? "--delimiter tab" : `--delimiter "${separator}"`,
      );
      expect(callsOf(await read(csv, { delimiter: shown }))).toMatchObject([{ id: "c1" }]);
    },
  );
});

describe("text", () => {
  const HEADER = "id,userDid,providerId,model,type,status,callTime\n";
  const record = (user: string) => `c1,${user},p,m,custom,success,1750413600\n`;
  const users = (lines: Awaited<ReturnType<typeof read>>) =>
    callsOf(lines).map((found) => ("userDid" in found ? found.userDid : found.reason));

  it("that is not UTF-8 is rejected line by line, with its bytes kept apart", async () => {
    const csv = Buffer.concat([
      Buffer.from(HEADER + record("Müller")),
      Buffer.from(record("Müller"), "latin1"),
      Buffer.from(record("Möller"), "latin1"),
      Buffer.from(record("ok")),
    ]);
    for (const chunkBytes of [1, 7, 65_536]) {
      const lines = await read(csv, {}, chunkBytes);
      expect(users(lines)).toEqual([
        "Müller",
        "The line is not valid UTF-8.",
        "The line is not valid UTF-8.",
        "ok",
      ]);
      expect(lines[1]).toMatchObject({ number: 3, result: { line: 3, field: "" } });
      expect(lines.map(({ result }) => ("input" in result ? result.input.slice(0, 12) : null))).toEqual([
        null,
        "c1,M\\xfcller",
        "c1,M\\xf6ller",
        null,
      ]);
    }
  });

  it("in another encoding is read where it is named", async () => {
    const csv = Buffer.from(HEADER + record("M\u00fcller \u0080"), "latin1");
    expect(users(await read(csv, { encoding: "windows-1252" }))).toEqual(["Müller €"]);
    expect(users(await read(Buffer.from(HEADER + record("M?ller")), { encoding: "latin1" }))).toEqual([
      "M?ller",
    ]);
    await expect(read(Buffer.from([0xff, 0x41]), { encoding: "gb18030" })).rejects.toThrow(
      "The text is not valid gb18030: is --encoding right?",
    );
  });

  it("with a byte order mark is read as that says", async () => {
    const csv = HEADER + record("Ünï 😀");
    const utf16 = Buffer.from(`\ufeff${csv}`, "utf16le");
    for (const bytes of [Buffer.from(`\ufeff${csv}`), utf16, Buffer.from(utf16).swap16()])
      for (const chunkBytes of [1, 65_536])
        expect(users(await read(bytes, {}, chunkBytes))).toEqual(["Ünï 😀"]);
  });

  it("of a header that is not UTF-8 refuses the file", async () => {
    await expect(read(Buffer.from(`idü,${HEADER}`, "latin1"))).rejects.toThrow(/header is not valid UTF-8/);
  });

  it("of NDJSON with nothing in it is refused", async () => {
    for (const nothing of ["", "\n \n"])
      await expect(collect(readerOf("x.ndjson", {})((await inputOf(nothing)).bytes))).rejects.toThrow(
        "The file is empty",
      );
  });
});

describe("a table of AIGNE Hub", () => {
  const row = {
    id: "7402",
    providerId: "p1",
    model: "gpt-4o",
    credentialId: "c1",
    type: "chatCompletion",
    totalUsage: 15,
    usageMetrics: { inputTokens: 10, outputTokens: 5, cacheReadInputTokens: 2, cacheCreationInputTokens: 3 },
    credits: "0.00012345",
    status: "success",
    duration: 1.5,
    errorReason: null,
    appDid: "z2app",
    userDid: "did:abt:z1alice",
    requestId: "r1",
    metadata: { a: 1 },
    callTime: 1750413600,
    createdAt: "2025-06-20T10:00:01.000Z",
    ttfb: 420,
  };
  const expected = {
    id: "7402",
    userDid: "did:abt:z1alice",
    callTime: new Date("2025-06-20T10:00:00Z"),
    inputTokens: 10,
    outputTokens: 5,
    cachedInputTokens: 2,
    cacheWriteTokens: 3,
    totalUsage: 15,
    credits: "0.00012345",
    durationMs: 1500,
    ttfbMs: 420,
    metadata: { a: 1 },
    traceId: null,
  };

  it("is read from NDJSON and from CSV alike", async () => {
    const ndjson = readerOf("ModelCalls.ndjson", { from: "aigne-hub" });
    const lines = await collect(ndjson((await inputOf(JSON.stringify(row))).bytes));
    expect(callsOf(lines)).toMatchObject([expected]);
    const cells = Object.values(row).map((value) =>
      value === null
        ? ""
        : `"${(typeof value === "object" ? JSON.stringify(value) : String(value)).replaceAll('"', '""')}"`,
    );
    const csv = await read(`${Object.keys(row).join(",")}\n${cells.join(",")}\n`, { from: "aigne-hub" });
    expect(callsOf(csv)).toMatchObject([expected]);
  });

  it("is refused by name where it has a column that the table does not have, or lacks one", async () => {
    const ndjson = (more: object, options: InputOptions = {}) =>
      inputOf(JSON.stringify({ ...row, ...more })).then(({ bytes }) =>
        collect(readerOf("ModelCalls.ndjson", { from: "aigne-hub", ...options })(bytes)),
      );
    expect(callsOf(await ndjson({ promptTokens: 1 }))).toMatchObject([
      { field: "promptTokens", reason: expect.stringContaining("--ignore promptTokens") },
    ]);
    expect(callsOf(await ndjson({ promptTokens: 1 }, { ignore: ["promptTokens"] }))).toMatchObject([
      expected,
    ]);
    const header = Object.keys(row).join(",");
    await expect(read(`${header},promptTokens\n`, { from: "aigne-hub" })).rejects.toThrow(
      "Not read: promptTokens. Leave them out with --ignore promptTokens.",
    );
    await expect(read(`${header.replace("userDid", "updatedAt")}\n`, { from: "aigne-hub" })).rejects.toThrow(
      /has no column userDid, which a table of AIGNE Hub has/,
    );
  });

  it("keeps unknown what it did not know, and tells of rows without a user", async () => {
    const ndjson = readerOf("ModelCalls.ndjson", { from: "aigne-hub" });
    const bare = { ...row, usageMetrics: null, credits: null, duration: null, ttfb: null, metadata: null };
    const content = `${JSON.stringify(bare)}\n${JSON.stringify({ ...row, userDid: null })}\n7\n`;
    const found = callsOf(await collect(ndjson((await inputOf(content)).bytes)));
    expect(found).toMatchObject([
      {
        inputTokens: null,
        outputTokens: null,
        cacheWriteTokens: null,
        credits: null,
        durationMs: null,
        metadata: null,
        totalUsage: 15,
      },
      { line: 2, field: "userDid" },
      { line: 3, reason: "A call must be a JSON object." },
    ]);
  });
});
