import { join, resolve } from "node:path";
import { DEFAULT_BATCH } from "@usage-stats/db";
import { z } from "zod";
import { OperatorError } from "./operator-error.ts";

const REPOSITORY = resolve(import.meta.dirname, "../../..");

const port = z.coerce.number({ error: "must be a number" }).int().min(0).max(65535);

const schema = z
  .object({
    PORT: port.default(3000),
    HOST: z.string().min(1).default("127.0.0.1"),
    DATA_DIR: z.string().min(1).default(join(REPOSITORY, ".data")),
    DATABASE_URL: z
      .url({
        protocol: /^postgres(ql)?$/,
        error: "must be a URL such as postgresql://user:password@host:5432/name",
      })
      .optional(),
    DEMO: z.enum(["on", "off"]).default("on"),
    AUTH_SECRET: z
      .string()
      .min(32, "must have at least 32 characters (openssl rand -base64 32 makes one)")
      .optional(),
    ROLLUP_BATCH: z.coerce
      .number({ error: "must be a number" })
      .int()
      .min(100, "must be at least 100")
      .max(20_000, "must be at most 20000")
      .default(DEFAULT_BATCH),
    SESSION_COOKIE: z
      .string()
      .regex(/^[\w!#$%&'*+.^`|~-]+$/, "must be a cookie name")
      .default("login_token"),
  })
  .refine((env) => env.DATABASE_URL === undefined || env.AUTH_SECRET !== undefined, {
    path: ["AUTH_SECRET"],
    message: "is required with DATABASE_URL: it signs the tokens that say who someone is",
    // Said beside the other problems, not only once they are mended.
    when: () => true,
  });

/** Every setting, checked. `dataDir` is absolute. */
export type Settings = {
  port: number;
  host: string;
  dataDir: string;
  databaseUrl: string | undefined;
  demo: boolean;
  authSecret: string | undefined;
  sessionCookie: string;
  /** Quarters of an hour that one transaction rolls up. */
  rollupBatch: number;
};

/** Reads the settings from environment variables; an empty one counts as unset. Throws `OperatorError` naming every problem. */
export function readSettings(env: NodeJS.ProcessEnv = process.env): Settings {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ""));
  const result = schema.safeParse(given);
  if (!result.success) {
    const problems = result.error.issues.map(({ path, message }) => `  ${path.join(".")}: ${message}`);
    throw new OperatorError(["These settings are not right:", ...new Set(problems)].join("\n"));
  }
  const { PORT, HOST, DATA_DIR, DATABASE_URL, DEMO, AUTH_SECRET, SESSION_COOKIE, ROLLUP_BATCH } = result.data;
  return {
    port: PORT,
    host: HOST,
    dataDir: resolve(DATA_DIR),
    databaseUrl: DATABASE_URL,
    demo: DEMO === "on",
    authSecret: AUTH_SECRET,
    sessionCookie: SESSION_COOKIE,
    rollupBatch: ROLLUP_BATCH,
  };
}

/** The database alone, for `mikro-orm`, which needs no other setting. Throws `OperatorError` where it is not set. */
export function readDatabaseUrl(env: NodeJS.ProcessEnv = process.env): string {
  const result = schema.shape.DATABASE_URL.unwrap().safeParse(env["DATABASE_URL"]);
  if (result.success) return result.data;
  throw new OperatorError(
    "DATABASE_URL is not set. `pnpm mikro-orm …` in the top folder finds the embedded database by itself.",
  );
}

/** The environment as it is, for a program that is started with more in it. */
export function environment(): NodeJS.ProcessEnv {
  return process.env;
}
