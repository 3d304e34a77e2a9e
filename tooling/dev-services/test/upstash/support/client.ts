import { Redis, type RedisConfigNodejs } from "@upstash/redis";

/** The real client, asking once and reporting to nobody. */
export function clientOf(
  { url, token }: { url: string; token: string },
  config: Partial<RedisConfigNodejs> = {},
): Redis {
  return new Redis({ url, token, retry: { retries: 0 }, enableTelemetry: false, ...config });
}
