/** What is left of a budget after something was spent of it, or was not allowed to be. */
export type Spent = { isAllowed: boolean; limit: number; remaining: number; resetMs: number };

/** Counts what everyone spends in windows of a minute. Never throws: who cannot be counted may go on. */
export type Limiter = {
  /** `account` names the budget and whose it is; `limit` is what it holds a minute. */
  spend(account: string, limit: number, cost: number): Promise<Spent>;
};

export const WINDOW_SECONDS = 60;
