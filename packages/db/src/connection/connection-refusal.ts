/** Why there will be no connection, in a sentence that says what is wrong, the value (never a password) and what to do. */
export class ConnectionRefusal extends Error {
  override readonly name = "ConnectionRefusal";
}
