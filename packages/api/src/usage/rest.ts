import { UsageStatsError, type UsageStatsQuery } from "@usage-stats/core";
import * as z from "zod";
import { type Unauthorized } from "./read-usage.ts";
import { rankBy } from "./input.ts";
import { orRefuse } from "../input/refusal.ts";
import { keyIds } from "../input/usage-filter.ts";
import { userName } from "../input/wire-text.ts";
import { percentiles } from "../input/percentiles.ts";
import { flag, numberList } from "../rest/parameter-values.ts";
import { queryReader } from "../rest/query-parameters.ts";
import { tagListsParameter } from "../rest/tag-parameter.ts";
import { timeZoneOf, timeZoneParameters } from "../rest/time-zone-parameter.ts";
import { unixRange, unixRangeParameters } from "../rest/unix-range.ts";

const parameters = z.strictObject({
  ...unixRangeParameters,
  userDid: z
    .string()
    .transform(orRefuse(readUser))
    .optional()
    .meta({ minLength: 1, maxLength: 256 })
    .describe("Whose usage; the caller's own where absent."),
  noCache: flag("noCache").describe("For admins: have the database answer, whatever the cache says."),
  ...timeZoneParameters,
  rankBy: rankBy.optional(),
  keyId: keyIds,
  tag: tagListsParameter.optional(),
});

const jsonParameters = parameters.extend({
  percentiles: numberList
    .pipe(percentiles)
    .exactOptional()
    .describe("Percentiles of latencies to be told, with commas between them, such as 50,95,99.9."),
});

const csvParameters = parameters.extend({
  bom: flag("bom").describe("Whether the CSV begins with a byte order mark."),
});

/** What can be said of one user's usage only. */
const OF_ONE = { userDid: true, keyId: true } as const;

const FIELDS = { keyId: "filter.keyIds" };

/** The query strings of usage, as JSON or as CSV: of one user, and of all users together. */
export const usageStatsParameters = {
  one: {
    json: jsonParameters.transform(orRefuse(toQuery)),
    csv: csvParameters.transform(orRefuse(toQuery)),
  },
  everyone: {
    json: jsonParameters.omit(OF_ONE).transform(orRefuse(toQuery)),
    csv: csvParameters.omit(OF_ONE).transform(orRefuse(toQuery)),
  },
};

const read = {
  one: {
    json: queryReader(usageStatsParameters.one.json, FIELDS),
    csv: queryReader(usageStatsParameters.one.csv, FIELDS),
  },
  everyone: {
    json: queryReader(usageStatsParameters.everyone.json),
    csv: queryReader(usageStatsParameters.everyone.csv),
  },
};

/** A query, and how its answer is written: with a byte order mark; with shares, where somebody said what is ranked by. */
type AskedOverRest = Unauthorized<UsageStatsQuery> & { bom: boolean; withShares: boolean };

/**
 * Reads the query string of usage by days, compared with the period before: of one user, or of everyone, where there is no
 * `userDid`. Throws `UsageStatsError` naming the parameter.
 */
export function readUsageStatsQuery(
  query: URLSearchParams,
  form: "json" | "csv",
  whose: "one" | "everyone" = "one",
): AskedOverRest {
  return read[whose][form](query);
}

function readUser(text: string): string {
  if (userName.safeParse(text).success) return text;
  throw new UsageStatsError("invalid_option", "userDid must be 1 to 256 characters of text.", {
    field: "userDid",
    limit: "256",
  });
}

type Sent = Omit<z.output<typeof parameters>, keyof typeof OF_ONE> & {
  userDid?: string | undefined;
  keyId?: string[];
  bom?: boolean;
  percentiles?: number[];
};

function toQuery({
  userDid,
  noCache,
  bom = false,
  rankBy: ranked,
  percentiles: asked,
  keyId,
  tag: tags,
  ...sent
}: Sent): AskedOverRest {
  return {
    bom,
    withShares: ranked !== undefined,
    userDid,
    noCache,
    ...unixRange(sent),
    timezone: timeZoneOf(sent),
    bucket: "day",
    groupBy: [],
    filter: { ...(keyId && { keyIds: keyId }), ...(tags && { tags }) },
    rankBy: ranked ?? "calls",
    topN: 5,
    compare: "previous",
    ...(asked !== undefined && { percentiles: asked }),
  };
}
