import * as z from "zod";
import { isExposed } from "../service-url.ts";
import { NODE_VARIABLES, SETTINGS } from "./settings-table.ts";

type Schemas = { [Name in keyof typeof SETTINGS]: (typeof SETTINGS)[Name]["schema"] };

const schemas = Object.fromEntries(
  Object.entries(SETTINGS).map(([name, { schema }]) => [name, schema]),
) as Schemas;

/** Every setting by its name, as its schema reads it. */
export type CheckedSettings = z.output<typeof checkedSettings>;

// Said beside the other problems, not only once they are mended.
const when = () => true;

/** The environment's settings: each by itself, and then what they must be together. */
export const checkedSettings = z
  .object({ ...schemas, ...NODE_VARIABLES })
  .refine(
    (env) =>
      env.DATABASE_URL === undefined || env.AUTH_SECRET !== undefined || env.AUTH_JWKS_URL !== undefined,
    {
      path: ["AUTH_SECRET"],
      message:
        "is required with DATABASE_URL, or else AUTH_JWKS_URL: it signs the tokens that say who someone is",
      when,
    },
  )
  .refine((env) => env.DATABASE_URL === undefined || env.EMBEDDED !== "on", {
    path: ["EMBEDDED"],
    message: "cannot be on where DATABASE_URL is set: unset one of them",
    when,
  })
  .refine((env) => env.AUTH_SECRET === undefined || env.AUTH_JWKS_URL === undefined, {
    path: ["AUTH_JWKS_URL"],
    message: "cannot be set together with AUTH_SECRET: unset one of them",
    when,
  })
  .refine(
    (env) => (env.UPSTASH_REDIS_REST_URL === undefined) === (env.UPSTASH_REDIS_REST_TOKEN === undefined),
    {
      path: ["UPSTASH_REDIS_REST_TOKEN"],
      message: "belongs with UPSTASH_REDIS_REST_URL: set both, or neither",
      when,
    },
  )
  .superRefine((env, { addIssue }) => {
    for (const name of ["AUTH_JWKS_URL", "UPSTASH_REDIS_REST_URL"] as const) {
      if (!isExposed(env[name], env.PLAIN_HTTP_HOSTS)) continue;
      const message =
        "must begin with https:// unless it is on this machine; a host to which the way is safe can be named in PLAIN_HTTP_HOSTS";
      addIssue({ code: "custom", path: [name], message });
    }
  })
  .refine((env) => env.CACHE !== "bridge" || env.UPSTASH_REDIS_REST_URL === undefined, {
    path: ["CACHE"],
    message: "cannot be bridge where UPSTASH_REDIS_REST_URL is set: unset one of them",
    when,
  });
