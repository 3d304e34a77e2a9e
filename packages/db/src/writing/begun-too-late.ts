import { UsageError } from "@usage-stats/core";

/** The database came to a write only when nobody waited for it any more, and did not do it. */
export class BegunTooLate extends UsageError {
  constructor() {
    super("unavailable", "The database did not come to it in time. Try again shortly.");
  }
}
