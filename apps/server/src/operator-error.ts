/** A failure that the person who runs this can mend: its message says how, and no stack trace helps. */
export class OperatorError extends Error {
  override readonly name = "OperatorError";
}
