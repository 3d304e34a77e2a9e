import { type SharedCache } from "@usage-stats/cache";
import { type Announce, Deaf, type Ear, explainFailure, listenForChanges } from "@usage-stats/db";
import { describeFailure } from "../failures/describe-failure.ts";

export type HearingParts = {
  url: string;
  ear: Ear;
  announce: Announce;
  cache: SharedCache | null;
  /** Checks an API key anew when it is next used; all of them for `null`. */
  forgetKey(id: string | null): void;
  /** There is something to roll up. */
  wake(): void;
  /** What was kept of a user is not valid any more; `null` for everyone. */
  onInvalid(userDid: string | null): void;
  onDeaf(): void;
  log(text: string): void;
};

export type HearingChanges = {
  /** Resolves once the ear hears for the first time, or it is clear that it does not. */
  settled: Promise<void>;
  close(): Promise<void>;
};

/** Hands on what the database announces, and what may have been missed, to all who know something from before. */
export function hearChanges({ cache, log, ...parts }: HearingParts): HearingChanges {
  const settled = Promise.withResolvers<void>();
  let deafSince: number | null = null;

  const { close } = listenForChanges(parts.url, {
    ear: parts.ear,
    announce: parts.announce,
    onChange(userDid) {
      parts.wake();
      const invalidated = userDid === null ? cache?.invalidateAll() : cache?.invalidate([userDid]);
      void Promise.resolve(invalidated).then(() => parts.onInvalid(userDid));
    },
    onKeyChange: parts.forgetKey,
    onMissed() {
      parts.wake();
      parts.forgetKey(null);
      void Promise.resolve(cache?.invalidateAll()).then(settled.resolve);
    },
    onHearing() {
      if (deafSince !== null)
        log(`changes: the database's announcements are heard again, after ${secondsSince(deafSince)} s`);
      deafSince = null;
    },
    onDeaf(why) {
      deafSince = performance.now();
      parts.onDeaf();
      log(
        `changes: the database's announcements are not heard, and it makes every answer until they are: ${reasonOf(why, parts.url)}`,
      );
      settled.resolve();
    },
  });
  return { settled: settled.promise, close };
}

function secondsSince(started: number): string {
  return ((performance.now() - started) / 1000).toFixed(1);
}

function reasonOf(why: unknown, url: string): string {
  if (why instanceof Deaf) return why.message;
  const said = explainFailure(why, url) ?? describeFailure(why);
  // The driver's own errors have no code.
  return said === "Error" ? "the connection ended, or nothing answered in time" : said;
}
