import { type CheckReadiness } from "../http/health-routes.ts";

/** Gives why requests should not be sent here, as far as one thing is concerned; `null` when all is well with that. */
type ReadinessProbe = () => Promise<string | null>;

export type ReadinessSettings = {
  /** What this process knows by itself, looked at each time. */
  flags: readonly (() => string | null)[];
  /** What others have to be asked, by their names. */
  probes: Readonly<Record<string, ReadinessProbe>>;
  monotonic(): number;
  /** How long a probe is waited for. */
  timeoutMs?: number;
};

const GOOD_FOR_MS = 1_000;

/** Looks into all that makes a server ready, for all who ask within a second together: anyone may ask, however often. */
export function createCheckReadiness({
  flags,
  probes,
  monotonic,
  timeoutMs = 2_000,
}: ReadinessSettings): CheckReadiness {
  let latest: { reasons: Promise<(string | null)[]>; until: number } | null = null;

  function probeAll(): Promise<(string | null)[]> {
    const asked = Promise.all(
      Object.entries(probes).map(([name, probe]) => answerOf(name, probe, timeoutMs)),
    );
    const probed = { reasons: asked, until: Number.POSITIVE_INFINITY };
    void asked.then(() => (probed.until = monotonic() + GOOD_FOR_MS));
    latest = probed;
    return asked;
  }

  return async () => {
    const known = latest !== null && monotonic() < latest.until ? latest.reasons : probeAll();
    const reasons = [...flags.map((flag) => flag()), ...(await known)];
    return reasons.filter((reason) => reason !== null);
  };
}

/** Never rejects, and never takes longer than that. */
async function answerOf(name: string, probe: ReadinessProbe, timeoutMs: number): Promise<string | null> {
  const silent = `${name} does not answer`;
  const late = Promise.withResolvers<string>();
  const timer = setTimeout(() => late.resolve(silent), timeoutMs);
  try {
    return await Promise.race([probe(), late.promise]);
  } catch {
    return silent;
  } finally {
    clearTimeout(timer);
  }
}
