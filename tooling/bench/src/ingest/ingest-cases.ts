/** How calls arrive: so many in one statement, from so many callers at a time who each wait for their answer. */
export type IngestCase = {
  name: string;
  batch: number;
  callers: number;
  /** Calls of an hour ago, whose quarter is over: whoever keeps answers must be told. */
  late?: true;
  /** What share of a plain insert is aimed for; nothing is promised where there is none. */
  wanted?: number;
};

/** More callers than this share the connections, ours and the plain insert's alike. */
export const MOST_CONNECTIONS = 8;

export const INGEST_CASES: IngestCase[] = [
  { name: "1 at a time, 1 caller", batch: 1, callers: 1, wanted: 0.6 },
  { name: "1 at a time, 8 callers", batch: 1, callers: 8, wanted: 1 },
  { name: "1 at a time, 64 callers", batch: 1, callers: 64, wanted: 3 },
  { name: "50 at a time, 1 caller", batch: 50, callers: 1 },
  { name: "50 at a time, 8 callers", batch: 50, callers: 8 },
  { name: "500 at a time, 1 caller", batch: 500, callers: 1, wanted: 0.9 },
  { name: "500 at a time, 8 callers", batch: 500, callers: 8, wanted: 0.9 },
  { name: "5,000 at a time, 1 caller", batch: 5_000, callers: 1 },
  { name: "5,000 at a time, 8 callers", batch: 5_000, callers: 8 },
  { name: "late calls, 10 at a time, 8 callers", batch: 10, callers: 8, late: true, wanted: 0.8 },
];
