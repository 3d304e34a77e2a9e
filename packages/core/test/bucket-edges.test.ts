import { expect, it } from "vitest";
import { type Bucket, seriesBuckets } from "../src/index.ts";

function cut(timezone: string, from: string, to: string, bucket: Bucket): string[] {
  return seriesBuckets({ from: new Date(from), to: new Date(to) }, timezone, bucket).map(
    ({ start, end, label, whole }) =>
      `${label} ${(end.getTime() - start.getTime()) / 60_000}min${whole ? "" : " cut"}`,
  );
}

it("gives days of 23 and 25 hours where New York changes its clocks", () => {
  expect(cut("America/New_York", "2025-03-08T05:00Z", "2025-03-11T04:00Z", "day")).toEqual([
    "2025-03-08 1440min",
    "2025-03-09 1380min",
    "2025-03-10 1440min",
  ]);
  expect(cut("America/New_York", "2025-11-02T04:00Z", "2025-11-03T05:00Z", "day")).toEqual([
    "2025-11-02 1500min",
  ]);
});

it("tells the hour that comes twice apart by its offset", () => {
  expect(cut("America/New_York", "2025-11-02T05:00Z", "2025-11-02T08:00Z", "hour")).toEqual([
    "2025-11-02T01:00-04:00 60min",
    "2025-11-02T01:00-05:00 60min",
    "2025-11-02T02:00-05:00 60min",
  ]);
});

it("makes Lord Howe's hour at the change 90 minutes long, also when the range begins inside it", () => {
  expect(cut("Australia/Lord_Howe", "2025-04-05T13:00Z", "2025-04-05T16:30Z", "hour")).toEqual([
    "2025-04-06T00:00+11:00 60min",
    "2025-04-06T01:00+11:00 90min",
    "2025-04-06T02:00+10:30 60min",
  ]);
  expect(cut("Australia/Lord_Howe", "2025-04-05T15:15Z", "2025-04-05T15:30Z", "hour")).toEqual([
    "2025-04-06T01:00+11:00 15min cut",
  ]);
});

it("begins an hour where Caracas' clocks jump to a whole one, also when the range begins there", () => {
  expect(cut("America/Caracas", "2016-05-01T05:30Z", "2016-05-01T09:00Z", "hour")).toEqual([
    "2016-05-01T01:00-04:30 60min",
    "2016-05-01T02:00-04:30 30min",
    "2016-05-01T03:00-04:00 60min",
    "2016-05-01T04:00-04:00 60min",
  ]);
  expect(cut("America/Caracas", "2016-05-01T07:00Z", "2016-05-01T07:15Z", "hour")).toEqual([
    "2016-05-01T03:00-04:00 15min cut",
  ]);
});

it("leaves out the day that Apia never had", () => {
  expect(cut("Pacific/Apia", "2011-12-29T10:00Z", "2011-12-31T10:00Z", "day")).toEqual([
    "2011-12-29 1440min",
    "2011-12-31 1440min",
  ]);
});

it("begins São Paulo's day without a midnight at one o'clock", () => {
  expect(cut("America/Sao_Paulo", "2018-11-03T03:00Z", "2018-11-05T02:00Z", "day")).toEqual([
    "2018-11-03 1440min",
    "2018-11-04 1380min",
  ]);
});

it("cuts days of half-hour zones at their own midnight", () => {
  expect(cut("Asia/Kathmandu", "2025-11-16T18:15Z", "2025-11-17T18:15Z", "day")).toEqual([
    "2025-11-17 1440min",
  ]);
});

it("numbers ISO weeks by their Thursday and begins them on Monday", () => {
  expect(cut("UTC", "2024-12-30T00:00Z", "2025-01-13T00:00Z", "week")).toEqual([
    "2025-W01 10080min",
    "2025-W02 10080min",
  ]);
});

it("cuts months at their local first", () => {
  expect(cut("Asia/Shanghai", "2025-01-31T16:00Z", "2025-03-31T16:00Z", "month")).toEqual([
    "2025-02 40320min",
    "2025-03 44640min",
  ]);
});

it("keeps the partial edges of a range inside their buckets", () => {
  expect(cut("UTC", "2025-06-01T23:59:59.999Z", "2025-06-02T00:00:00.001Z", "day")[0]).toMatch(
    /^2025-06-01 .*cut$/,
  );
});

it("has no buckets when none are asked for", () => {
  expect(cut("UTC", "2025-06-01T00:00Z", "2025-06-02T00:00Z", "none")).toEqual([]);
});
