import { ANY_ORIGIN, RANKING_METRICS, UsageStatsError } from "@usage-stats/core";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { rebuildInput } from "../src/rollups/input.ts";
import { viewerTokenInput } from "../src/viewer-tokens/input.ts";
import { listCallsParameters, readListCallsQuery } from "../src/calls/list-rest.ts";
import { readRecordCallsQuery, recordCallsParameters } from "../src/calls/record-rest.ts";
import { readBody } from "../src/rest/read-body.ts";
import { readUsageRankingQuery, usageRankingParameters } from "../src/ranking/rest.ts";
import { readUsageStatsQuery, usageStatsParameters } from "../src/usage/rest.ts";

const RANGE = "startTime=1748736000&endTime=1751327999";
const FROM = new Date("2025-06-01T00:00:00Z");
const TO = new Date("2025-07-01T00:00:00Z");

type Read = (query: URLSearchParams) => unknown;

const ENDPOINTS: Record<string, { schema: z.ZodType; read: Read }> = {
  "usage as JSON": {
    schema: usageStatsParameters.one.json,
    read: (query) => readUsageStatsQuery(query, "json"),
  },
  "usage as CSV": {
    schema: usageStatsParameters.one.csv,
    read: (query) => readUsageStatsQuery(query, "csv"),
  },
  "everyone's usage as JSON": {
    schema: usageStatsParameters.everyone.json,
    read: (query) => readUsageStatsQuery(query, "json", "everyone"),
  },
  "everyone's usage as CSV": {
    schema: usageStatsParameters.everyone.csv,
    read: (query) => readUsageStatsQuery(query, "csv", "everyone"),
  },
  "a ranking": { schema: usageRankingParameters, read: (query) => readUsageRankingQuery("user", query) },
  "a list of calls": { schema: listCallsParameters.list, read: (query) => readListCallsQuery(query, "list") },
  "an export of calls": {
    schema: listCallsParameters.export,
    read: (query) => readListCallsQuery(query, "export"),
  },
};

function refusal(read: () => unknown): Pick<UsageStatsError, "code" | "field" | "message" | "limit"> {
  try {
    read();
  } catch (error) {
    if (error instanceof UsageStatsError) return error;
    throw error;
  }
  throw new Error("accepted");
}

/** What a parameter is, in a word; `[]` where it may be sent again and again. */
function kindOf(property: z.core.JSONSchema._JSONSchema): string {
  if (typeof property === "boolean") return String(property);
  return property.type === "array"
    ? `${kindOf(property.items as z.core.JSONSchema.JSONSchema)}[]`
    : String(property.type);
}

function parametersOf(schema: z.ZodType) {
  const { properties = {}, required } = z.toJSONSchema(schema, { io: "input" });
  return { properties, required };
}

const USAGE = {
  startTime: "integer",
  endTime: "integer",
  noCache: "boolean",
  timezone: "string",
  timezoneOffset: "integer",
  rankBy: "string",
  tag: "string[]",
};
const OF_ONE = { userDid: "string", keyId: "string[]" };
const CALLS = {
  startTime: "integer",
  endTime: "integer",
  userDid: "string",
  appDid: "string[]",
  providerId: "string[]",
  model: "string[]",
  type: "string[]",
  status: "string[]",
  keyId: "string",
  runId: "string",
  conversationId: "string",
  tag: "string[]",
  search: "string",
  minDurationSeconds: "number",
};

describe("as JSON Schema", () => {
  it.each([
    ["usage as JSON", { ...USAGE, ...OF_ONE, percentiles: "string" }],
    ["usage as CSV", { ...USAGE, ...OF_ONE, bom: "boolean" }],
    ["everyone's usage as JSON", { ...USAGE, percentiles: "string" }],
    ["everyone's usage as CSV", { ...USAGE, bom: "boolean" }],
    [
      "a ranking",
      {
        startTime: "integer",
        endTime: "integer",
        appDids: "string[]",
        providerIds: "string[]",
        models: "string[]",
        types: "string[]",
        status: "string[]",
        tag: "string[]",
        orderBy: "string",
        direction: "string",
        search: "string",
        limit: "integer",
        cursor: "string",
      },
    ],
    ["a list of calls", { ...CALLS, limit: "integer", cursor: "string" }],
    ["an export of calls", { ...CALLS, timezone: "string", bom: "boolean" }],
  ])("the query string of %s lists its parameters and which of them repeat", (name, kinds) => {
    const { properties, required } = parametersOf(ENDPOINTS[name]!.schema);
    const found = Object.entries(properties).map(([key, property]) => [key, kindOf(property)]);
    expect(Object.fromEntries(found)).toEqual(kinds);
    expect(required).toEqual(["startTime", "endTime"]);
  });

  it.each(Object.entries(ENDPOINTS))("the query string of %s describes every parameter", (_, { schema }) => {
    for (const [name, property] of Object.entries(parametersOf(schema).properties))
      expect({ name, ...(property as object) }).toMatchObject({
        name,
        description: expect.stringMatching(/^.{10,}\.$/) as unknown,
      });
  });

  it("a number in a query string is described by what it may be", () => {
    for (const name of ["a ranking", "a list of calls"])
      expect(parametersOf(ENDPOINTS[name]!.schema).properties["limit"]).toMatchObject({
        minimum: 1,
        maximum: 200,
      });
  });

  it.each([
    ["a rebuild", rebuildInput, ["userDid", "from", "to", "dryRun"]],
    ["a viewer token", viewerTokenInput, ["userDid", "appDids", "expiresInSeconds"]],
  ])("the body of %s lists its fields", (_, schema, names) => {
    expect(Object.keys(parametersOf(schema).properties)).toEqual(names);
  });
});

describe("a query string", () => {
  it("of usage is a query by days, in the zone that was sent", () => {
    const query = new URLSearchParams(`${RANGE}&timezoneOffset=-330&noCache=true&userDid=did:abt:z1a`);
    expect(readUsageStatsQuery(query, "json")).toEqual({
      userDid: "did:abt:z1a",
      noCache: true,
      bom: false,
      withShares: false,
      from: FROM,
      to: TO,
      timezone: "+05:30",
      bucket: "day",
      groupBy: [],
      filter: {},
      rankBy: "calls",
      topN: 5,
      compare: "previous",
    });
  });

  it("of usage says what models are ranked by, and then wants their shares", () => {
    for (const rankBy of RANKING_METRICS)
      for (const { read } of [ENDPOINTS["usage as JSON"]!, ENDPOINTS["everyone's usage as CSV"]!])
        expect(read(new URLSearchParams(`${RANGE}&rankBy=${rankBy}`))).toMatchObject({
          rankBy,
          withShares: true,
        });
  });

  it.each(["spend", "", "Calls", "toString", "durationMsSum"])(
    "of usage is refused for rankBy=%s",
    (name) => {
      expect(
        refusal(() => readUsageStatsQuery(new URLSearchParams(`${RANGE}&rankBy=${name}`), "json")),
      ).toMatchObject({
        code: "invalid_option",
        field: "rankBy",
        message: expect.stringContaining("credits") as unknown,
      });
    },
  );

  it("of usage names percentiles with commas between them, in any order", () => {
    const percentilesOf = (list: string) =>
      readUsageStatsQuery(new URLSearchParams(`${RANGE}&percentiles=${list}`), "json").percentiles;
    expect(percentilesOf("99.9,50,95")).toEqual([50, 95, 99.9]);
    expect(percentilesOf("0.1")).toEqual([0.1]);
    expect(readUsageStatsQuery(new URLSearchParams(RANGE), "json")).not.toHaveProperty("percentiles");
  });

  it.each(["", "0", "100", "-5", "1e1", "50,", "50,50", "50,50.0", "99.99", "1,2,3,4,5,6", "p50", "50;95"])(
    "of usage is refused with percentiles %j",
    (list) => {
      const query = new URLSearchParams(`${RANGE}&percentiles=${encodeURIComponent(list)}`);
      expect(refusal(() => readUsageStatsQuery(query, "json"))).toMatchObject({
        code: "invalid_option",
        field: expect.stringMatching(/^percentiles/) as unknown,
      });
    },
  );

  it("of usage as CSV, which has no latencies, takes no percentiles", () => {
    const query = new URLSearchParams(`${RANGE}&percentiles=50`);
    expect(refusal(() => readUsageStatsQuery(query, "csv"))).toMatchObject({ code: "unknown_field" });
  });

  it("of a ranking is a query with only the lists that were sent", () => {
    const query = new URLSearchParams(`${RANGE}&models=a&models=b&orderBy=credits&limit=7&cursor=c`);
    expect(readUsageRankingQuery("app", query)).toStrictEqual({
      by: "app",
      from: FROM,
      to: TO,
      filter: { models: ["a", "b"] },
      orderBy: "credits",
      direction: "desc",
      search: null,
      limit: 7,
      cursor: "c",
    });
  });

  it("of calls is a query in the words of the filter", () => {
    const lists = "appDid=a&providerId=p&model=m&model=n&type=custom&status=failed";
    const query = new URLSearchParams(`${RANGE}&${lists}&minDurationSeconds=1.5&search=x`);
    expect(readListCallsQuery(query, "list")).toStrictEqual({
      from: FROM,
      to: TO,
      filter: {
        appDids: ["a"],
        providerIds: ["p"],
        models: ["m", "n"],
        types: ["custom"],
        status: ["failed"],
      },
      origin: ANY_ORIGIN,
      search: "x",
      minDurationMs: 1500,
      withVoided: true,
      limit: 50,
      timezone: "UTC",
      bom: false,
    });
  });

  it("of calls says where they came from", () => {
    const origin = "keyId=k&runId=r&conversationId=c&tag=team:a:b&tag=project:%20x%20";
    expect(readListCallsQuery(new URLSearchParams(`${RANGE}&${origin}`), "export").origin).toStrictEqual({
      keyId: "k",
      runId: "r",
      conversationId: "c",
      tags: { project: "x", team: "a:b" },
    });
    for (const tag of ["team", "team:", "team:%20", "Team:a", `team:${"x".repeat(129)}`, ":a", "__proto__:a"])
      expect(
        refusal(() => readListCallsQuery(new URLSearchParams(`${RANGE}&tag=${tag}`), "list")),
      ).toMatchObject({ code: "invalid_option", field: "tag" });
    expect(
      refusal(() => readListCallsQuery(new URLSearchParams(`${RANGE}&tag=a:b&tag=a:c`), "list")).message,
    ).toBe("tag may be sent 8 times, and once for each name.");
  });

  it.each(Object.entries(ENDPOINTS))("of %s is refused with a parameter that is unknown", (_, { read }) => {
    for (const name of ["page", "constructor", "__proto__", "toString", ""])
      expect(refusal(() => read(new URLSearchParams(`${RANGE}&${name}=1`)))).toMatchObject({
        code: "unknown_field",
        field: name,
      });
  });

  it.each(Object.entries(ENDPOINTS))("of %s is refused with one value too many", (_, { schema, read }) => {
    for (const [name, property] of Object.entries(parametersOf(schema).properties)) {
      if (kindOf(property).endsWith("[]")) continue;
      const twice = new URLSearchParams([
        [name, "1748736000"],
        [name, "1748736000"],
      ]);
      expect(refusal(() => read(twice))).toMatchObject({
        code: "invalid_option",
        field: name,
        message: `${name} was sent more than once.`,
      });
    }
  });

  it.each(Object.entries(ENDPOINTS))("of %s is refused without either end", (_, { read }) => {
    for (const name of ["startTime", "endTime"]) {
      const query = new URLSearchParams(RANGE);
      query.delete(name);
      expect(refusal(() => read(query))).toMatchObject({
        code: "invalid_time",
        field: name,
        limit: "unix seconds",
        message: `${name} must be whole seconds since 1970 (10 digits). Got "nothing".`,
      });
    }
  });

  it.each(Object.entries(ENDPOINTS))("of %s takes equal ends for one second", (_, { read }) => {
    const query = (startTime: string, endTime: string) => new URLSearchParams({ startTime, endTime });
    expect(read(query("1748736000", "1748736000"))).toMatchObject({
      from: new Date(1_748_736_000_000),
      to: new Date(1_748_736_001_000),
    });
    expect(refusal(() => read(query("1748736001", "1748736000")))).toMatchObject({
      code: "invalid_range",
      field: "endTime",
      message: 'startTime must not be after endTime. Got "1748736000".',
    });
  });

  it.each([
    ["usage as JSON", "userDid", "userDid"],
    ["a ranking", "search", "search"],
    ["a ranking", "appDids", "filter.appDids.0"],
    ["a ranking", "providerIds", "filter.providerIds.0"],
    ["a ranking", "models", "filter.models.0"],
    ["a list of calls", "userDid", "userDid"],
    ["a list of calls", "search", "search"],
    ["a list of calls", "appDid", "filter.appDids.0"],
    ["an export of calls", "providerId", "filter.providerIds.0"],
    ["an export of calls", "model", "filter.models.0"],
  ])("of %s is refused with NUL, nothing or 257 characters for %s", (name, parameter, field) => {
    for (const text of ["a\0b", "", "x".repeat(257)]) {
      const query = new URLSearchParams(RANGE);
      query.append(parameter, text);
      expect(refusal(() => ENDPOINTS[name]!.read(query))).toMatchObject({ code: "invalid_option", field });
    }
  });

  it("cannot hold half of a character: what is no UTF-8 becomes whole ones", () => {
    const query = new URLSearchParams(`${RANGE}&search=%ED%A0%BD`);
    expect(readListCallsQuery(query, "list").search).toBe("\ufffd\ufffd\ufffd");
  });

  it("is refused with 101 values of one list, and with a wrong one among good ones", () => {
    const values = (count: number) => `${RANGE}${"&model=m".repeat(count)}`;
    expect(readListCallsQuery(new URLSearchParams(values(100)), "list").filter.models).toHaveLength(100);
    expect(refusal(() => readListCallsQuery(new URLSearchParams(values(101)), "list"))).toMatchObject({
      code: "invalid_option",
      field: "filter.models",
    });
    const types = new URLSearchParams(`${RANGE}&type=custom&type=chat`);
    expect(refusal(() => readListCallsQuery(types, "export"))).toMatchObject({
      code: "invalid_option",
      field: "filter.types.1",
    });
  });

  it.each(["json", "csv"] as const)("of usage as %s is refused with both zones", (form) => {
    const query = new URLSearchParams(`${RANGE}&timezone=UTC&timezoneOffset=0`);
    expect(refusal(() => readUsageStatsQuery(query, form))).toMatchObject({
      code: "invalid_option",
      field: "timezoneOffset",
      message: "Send timezone or timezoneOffset, not both.",
    });
  });

  it("of everyone's usage names no user", () => {
    const query = new URLSearchParams(`${RANGE}&userDid=a`);
    expect(refusal(() => readUsageStatsQuery(query, "json", "everyone"))).toMatchObject({
      code: "unknown_field",
      field: "userDid",
      message: 'There is no parameter "userDid".',
    });
  });

  it.each([
    ["usage as CSV", "bom", "yes", 'bom must be true or false. Got "yes".'],
    ["usage as JSON", "noCache", "1", 'noCache must be true or false. Got "1".'],
    ["an export of calls", "bom", "", 'bom must be true or false. Got "".'],
    ["a list of calls", "limit", "1e1", 'limit must be a whole number. Got "1e1".'],
    ["a list of calls", "limit", "201", "limit: Too big: expected number to be <=200."],
    ["a ranking", "limit", "1e1", "limit: Invalid input: expected number, received string."],
    [
      "a list of calls",
      "minDurationSeconds",
      "1.2345",
      'minDurationSeconds must be seconds, with at most three decimals. Got "1.2345".',
    ],
  ])("of %s is refused with the words for %s=%s", (name, field, text, message) => {
    const query = new URLSearchParams(`${RANGE}&${field}=${text}`);
    expect(refusal(() => ENDPOINTS[name]!.read(query))).toMatchObject({
      code: "invalid_option",
      field,
      message,
    });
  });
});

describe("a query string beside a body of calls", () => {
  it("says whether a bad call refuses all", () => {
    expect(parametersOf(recordCallsParameters).properties["atomic"]).toMatchObject({ type: "boolean" });
    for (const [query, atomic] of [
      ["", false],
      ["atomic=true", true],
      ["atomic=false&atomic=true", false],
      ["source=gateway-7&atomic=true", true],
    ] as const)
      expect(readRecordCallsQuery(new URLSearchParams(query))).toEqual({ atomic });
    expect(refusal(() => readRecordCallsQuery(new URLSearchParams("atomic=yes")))).toMatchObject({
      code: "invalid_option",
      field: "atomic",
      message: 'atomic must be true or false. Got "yes".',
    });
  });
});

describe("a JSON body", () => {
  it("of a rebuild is its scope, and whether it is only tried", () => {
    const body = '{"userDid":"a","from":"2025-06-01T00:00:00Z","to":"2025-07-01T02:00:00+02:00"}';
    expect(readBody(rebuildInput, body)).toEqual({
      dryRun: false,
      scope: { userDid: "a", range: { from: FROM, to: TO } },
    });
    expect(readBody(rebuildInput, " ")).toStrictEqual({ dryRun: false, scope: {} });
  });

  it.each([
    ['{"from":"2025-06-01T00:00:00Z"}', "invalid_range", "to"],
    ['{"to":"2025-06-01T00:00:00Z"}', "invalid_range", "from"],
    ['{"from":"2025-06-01T00:00:00Z","to":"2025-06-01T00:00:00Z"}', "invalid_range", "to"],
    ['{"from":"1999-06-01T00:00:00Z","to":"2025-06-01T00:00:00Z"}', "invalid_time", "from"],
    ['{"from":"yesterday"}', "invalid_option", "from"],
    ['{"userDid":"a\\u0000"}', "invalid_option", "userDid"],
    ['{"userDid":"\\ud83d"}', "invalid_option", "userDid"],
    ['{"user":"a"}', "unknown_field", "user"],
    ["{", "bad_json", "body"],
  ])("of a rebuild is refused: %s", (body, code, field) => {
    expect(refusal(() => readBody(rebuildInput, body))).toMatchObject({ code, field });
  });

  it.each([
    ["{}", "invalid_option", "userDid"],
    ['{"userDid":"\\udc00"}', "invalid_option", "userDid"],
    ['{"userDid":"a","appDids":["b","\\u0000"]}', "invalid_option", "appDids.1"],
    ['{"userDid":"a","expiresInSeconds":59}', "invalid_option", "expiresInSeconds"],
    ['{"userDid":"a","__proto__":1}', "unknown_field", "__proto__"],
    ["[]", "invalid_option", "input"],
  ])("of a viewer token is refused: %s", (body, code, field) => {
    expect(refusal(() => readBody(viewerTokenInput, body))).toMatchObject({ code, field });
  });
});
