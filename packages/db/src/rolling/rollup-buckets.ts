/** Quarters of an hour of users; in the order of `users`, then of `quarters`, which are ISO instants. */
export type Buckets = { users: string[]; quarters: string[] };

/** Whose rollups: those of single users come from calls, those of all users together from the users'. */
export type RollupsOf = "users" | "all_users";
