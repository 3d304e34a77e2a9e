import { isTransient } from "./sqlstate.ts";

/**
 * Runs what changes nothing, or the same when it is done twice, once more where its connection was lost under it: it may have
 * been dead before anything was sent.
 */
export async function retryRead<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!isTransient(error)) throw error;
    return run();
  }
}
