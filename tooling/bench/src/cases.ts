import { type UsageStatsQuery } from "@usage-stats/core";
import { checkOriginalAnswer, checkStored, checkThisAnswer } from "./check-answers.ts";
import { USERS } from "./history.ts";
import { type Case } from "./measure.ts";
import { type Connections } from "./bench-database.ts";
import { readStoredHours, readStoredTypes, readStoredTypesAndModels } from "./original-stored.ts";
import { readHourByHour, readInBatches } from "./original-way.ts";
import { checkPeerAnswer } from "./peers/peer-answer.ts";
import { type Peer } from "./peers/peer.ts";
import { type Periods, wholeDays } from "./periods.ts";
import { anHourAfter, ask, query } from "./this-way.ts";

type OriginalWay = typeof readStoredHours;

/** What is measured while the histories asked about are rolled up. */
export function storedCases(at: Connections, now: Date, peers: Peer[]): Case[] {
  const month = wholeDays(now, 30);
  const { big, median } = USERS;
  const stored = (who: string, user: string) => [
    original(at, `fix, stored: ${who}`, 20, readStoredHours, user, month),
    original(at, `fix, stored, no models: ${who}`, 20, readStoredTypes, user, month),
    original(at, `fix, stored, models from raw: ${who}`, 5, readStoredTypesAndModels, user, month),
  ];
  const last = (days: number, timezone = "UTC") => wholeDays(now, days, timezone).current;
  const mine = (name: string, input: UsageStatsQuery) => storedWay(at, `this: ${name}`, 60, input);
  const upToNow = (name: string, user: string | null) =>
    thisWay(at, `this: ${name}, up to now`, 60, query(user, { from: month.current.from, to: now }), now);
  return [
    floor(at),
    ...stored("big", big),
    ...stored("median", median),
    ...peers.flatMap((peer) => [
      peerWay(at, `${peer.name}: big`, peer, big, month),
      peerWay(at, `${peer.name}: median`, peer, median, month),
    ]),
    mine("big", query(big, month.current)),
    mine("median", query(median, month.current)),
    mine("all users", query(null, month.current)),
    upToNow("big", big),
    upToNow("median", median),
    upToNow("all users", null),
    mine("big, Asia/Shanghai", query(big, last(30, "Asia/Shanghai"), { timezone: "Asia/Shanghai" })),
    mine("big, Asia/Kolkata", query(big, last(30, "Asia/Kolkata"), { timezone: "Asia/Kolkata" })),
    mine("big, 365 days", query(big, last(365))),
    mine("big, 365 days by day", query(big, last(365), { bucket: "day" })),
    mine("big, by app and model", query(big, month.current, { groupBy: ["app", "model"] })),
    mine("big, 7 days by hour", query(big, last(7), { bucket: "hour" })),
    mine("5,000 a month", query(USERS.five, month.current)),
    mine("50,000 a month", query(USERS.fifty, month.current)),
  ];
}

/** What is measured of users with nothing rolled up or stored. */
export function unstoredCases(at: Connections, now: Date): Case[] {
  const month = wholeDays(now, 30);
  const { big, unrolled } = USERS;
  return [
    floor(at),
    original(at, "original, hour by hour: big", 1, readHourByHour, big, month),
    original(at, "original, hour by hour: median", 3, readHourByHour, unrolled, month),
    original(at, "fix, nothing stored: big", 2, readInBatches, big, month),
    original(at, "fix, nothing stored: median", 8, readInBatches, unrolled, month),
    thisWay(
      at,
      "this, nothing rolled up: median",
      40,
      query(unrolled, month.current),
      anHourAfter(month.current),
    ),
  ];
}

function floor({ pool }: Connections): Case {
  return { name: "SELECT 1", rounds: 60, check: async () => {}, run: () => pool.query("select 1") };
}

function original(
  at: Connections,
  name: string,
  rounds: number,
  way: OriginalWay,
  user: string,
  month: Periods,
): Case {
  const run = () => way(at.pool, user, month);
  return { name, rounds, run, check: async () => checkOriginalAnswer(at, user, month, await run()) };
}

function peerWay(
  { raw }: Connections,
  name: string,
  { rounds, read }: Peer,
  user: string,
  month: Periods,
): Case {
  const everyModel = query(user, month.current, { topN: Number.MAX_SAFE_INTEGER, bucket: "day" });
  const check = async () => {
    const { stats } = await ask(raw, everyModel, anHourAfter(month.current));
    checkPeerAnswer(await read(user, month), stats);
  };
  return { name, rounds, check, run: async () => read(user, month) };
}

/** Asked an hour after its range, when nothing in it changes any more; and shown to be answered from rollups alone. */
function storedWay(at: Connections, name: string, rounds: number, input: UsageStatsQuery): Case {
  const now = anHourAfter(input);
  const one = thisWay(at, name, rounds, input, now);
  const check = async () => {
    await one.check();
    await checkStored(at, input, now);
  };
  return { ...one, check };
}

function thisWay(at: Connections, name: string, rounds: number, input: UsageStatsQuery, now: Date): Case {
  const check = () => checkThisAnswer(at, input, now);
  return { name, rounds, check, run: () => ask(at.repository, input, now) };
}
