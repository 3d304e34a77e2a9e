/**
 * `model_call_user_days` has a bit for each user and day, set where the user has a fine row on that day: how many users had calls over any
 * days is counted by its bits. A row is of this many users, whose ids follow each other, so that none gets long.
 */
const USERS_A_CHUNK = 8_192;

/** Which row has a user. */
export function chunkOf(userId: string): string {
  return `(${userId} / ${USERS_A_CHUNK})`;
}

/** The place of a user in that row. */
export function placeOf(userId: string): string {
  return `(${userId} % ${USERS_A_CHUNK})`;
}

/** No users. */
export const NO_USERS = `0::bit(${USERS_A_CHUNK})`;

/** A user alone. */
export function onlyUser(userId: string): string {
  return `set_bit(${NO_USERS}, ${placeOf(userId)}, 1)`;
}
