/** What has been opened, to be closed in the opposite order; a step that fails does not keep the others from closing. */
export class Closers {
  readonly #steps: (() => Promise<void>)[] = [];

  add(close: () => Promise<void>): void {
    this.#steps.unshift(close);
  }

  /** Throws an `AggregateError` of whatever failed, after everything was tried. */
  async close(): Promise<void> {
    const failures: unknown[] = [];
    for (const close of this.#steps.splice(0)) {
      await close().catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw new AggregateError(failures, "could not close everything");
  }
}
