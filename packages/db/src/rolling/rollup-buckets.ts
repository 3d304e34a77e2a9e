/** Quarters of an hour of users; in the order of `users`, then of `quarters`, which are ISO instants. */
export type Buckets = { users: string[]; quarters: string[] };

/** Gives a run of buckets of a list. */
export function someOf({ users, quarters }: Buckets, from: number, count: number): Buckets {
  return { users: users.slice(from, from + count), quarters: quarters.slice(from, from + count) };
}
