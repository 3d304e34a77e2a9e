import { DEMO_MODELS } from "./demo-models.ts";
import { type DemoRandom, runningSums } from "./demo-random.ts";

/** The user of the demo with the most calls. */
export const DEMO_USER = "did:abt:z1demo000";

export type DemoUser = {
  userDid: string;
  timezone: string;
  /** Of all calls, relative to the others. */
  share: number;
  apps: readonly string[];
  appSums: readonly number[];
  /** How much this one likes each of `DEMO_MODELS`. */
  modelSums: readonly number[];
};

const ZONES = [
  "Europe/Berlin",
  "America/New_York",
  "Asia/Shanghai",
  "America/Los_Angeles",
  "Asia/Kolkata",
  "Europe/London",
  "Asia/Tokyo",
  "America/Sao_Paulo",
  "Australia/Sydney",
  "Asia/Kathmandu",
  "Africa/Nairobi",
  "UTC",
];

const APPS = ["chat", "search", "support", "writer", "studio", "agents", "reports", "translate"].map(
  (name) => `z2demo-${name}`,
);

/** Users whose shares fall by rank as they do in life: the second has half of the first's calls, the tenth a tenth. */
export function demoUsers(count: number, random: DemoRandom): DemoUser[] {
  return Array.from({ length: count }, (_, rank) => {
    const firstApp = random.integer(0, APPS.length - 1);
    const apps = Array.from(
      { length: random.integer(2, 5) },
      (_item, i) => APPS[(firstApp + i) % APPS.length]!,
    );
    return {
      userDid: `${DEMO_USER.slice(0, -3)}${String(rank).padStart(3, "0")}`,
      timezone: ZONES[rank % ZONES.length]!,
      share: 1 / (rank + 1),
      apps,
      appSums: runningSums(apps.map((_app, i) => 1 / (i + 1))),
      modelSums: runningSums(DEMO_MODELS.map(({ share }) => share * random.factor(0.5))),
    };
  });
}
