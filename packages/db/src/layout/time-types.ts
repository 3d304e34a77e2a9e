/**
 * What a row of `model_call_stats` sums, by `time_type`. A fine row is of a quarter of an hour and a combination of every dimension; it says
 * by its type which coarser rows hold it already. Coarser rows are of dense days and weeks only, but each week with calls has its sums by type.
 * Weeks begin on Monday, UTC.
 */
export const TIME_TYPES = {
  /** Fine, of a sparse week: in the week's sums by type, and in no other coarser row. */
  fineOfSparseWeek: 0,
  /** Fine, of a sparse day in a dense week: in the week's rows, and in no row of the day. */
  fineOfSparseDay: 1,
  /** Fine, of a dense day: in every coarser row. */
  fineOfDenseDay: 2,
  typeHour: 4,
  typeDay: 5,
  typeWeek: 6,
  modelDay: 7,
  modelWeek: 8,
  comboDay: 9,
  comboWeek: 10,
} as const;

/** The types of fine rows, for `in (…)`. */
export const FINE = "(0, 1, 2)";

/** A day or a week is dense from this many fine rows on, and stays dense until it has none. */
export const DENSE_FROM = 16;

/** All users together. All their days and weeks are dense, but they have fine rows of their own only where many users' rows would have to be read instead. */
export const EVERYONE = 0;

/** All users' day has fine rows of its own from this many fine rows of users on, and until it has no calls. */
export const EVERYONE_DENSE_FROM = 4_096;

/** How many quarters of an hour a day and a week have. */
export const QUARTERS_A_DAY = 96;
export const QUARTERS_A_WEEK = 672;
