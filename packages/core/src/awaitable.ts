/** What may be there already, or has to be waited for. */
export type Awaitable<T> = T | Promise<T>;

/** Goes on with a value: at once where it is there, because turns of the event loop cost as much as a look into a cache. */
export function whenThere<T, Next>(
  value: Awaitable<T>,
  goOn: (value: T) => Awaitable<Next>,
): Awaitable<Next> {
  return value instanceof Promise ? value.then(goOn) : goOn(value);
}

/** Gives what `make` gives or, where that throws or rejects, what `otherwise` makes of the error. */
export function orElse<T>(make: () => Awaitable<T>, otherwise: (error: unknown) => T): Awaitable<T> {
  try {
    const value = make();
    return value instanceof Promise ? value.catch(otherwise) : value;
  } catch (error) {
    return otherwise(error);
  }
}
