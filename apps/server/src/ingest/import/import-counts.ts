/** What an import has done to its first `line` lines: all of them are durably in, or counted as rejected. */
export type ImportCounts = {
  /** Calls read, good and bad: the sum of the four below. */
  read: number;
  added: number;
  repeated: number;
  corrected: number;
  rejected: number;
  line: number;
};

/** A line that is no call. */
export type Reject = {
  line: number;
  /** Empty where the line as a whole is at fault. */
  field: string;
  /** What the field held, cut to 100 characters; undefined where it is missing or the whole line is meant. */
  value: string | undefined;
  /** A sentence for a person. */
  reason: string;
  /** The line as it was read; of one that cannot be read, its beginning. */
  input: string;
};

export function noCounts(): ImportCounts {
  return { read: 0, added: 0, repeated: 0, corrected: 0, rejected: 0, line: 0 };
}
