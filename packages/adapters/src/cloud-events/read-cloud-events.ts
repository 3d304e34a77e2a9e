import { UsageStatsError } from "@usage-stats/core";
import { type EventRead, readCloudEvent } from "./cloud-event.ts";

const STRUCTURED = "application/cloudevents+json";
const BATCH = "application/cloudevents-batch+json";
const BINARY = "application/json";

/** The media types that events come in. */
export const CLOUD_EVENT_TYPES: readonly string[] = [STRUCTURED, BATCH, BINARY];

/** A request's events, and whether it could have held several. */
export type EventsRead = { isBatch: boolean; events: EventRead[] };

/**
 * Reads events in any of HTTP's three modes: structured, batch, and binary, where the attributes are in `ce-` headers
 * (https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md). `mediaType` is one of
 * `CLOUD_EVENT_TYPES`. Throws `bad_json`, and `batch_too_large` for more than `maxEvents`, none of which is read.
 */
export function readCloudEvents(
  mediaType: string,
  headers: Headers,
  body: string,
  maxEvents: number,
): EventsRead {
  const value = parse(body);
  if (mediaType === STRUCTURED) return { isBatch: false, events: [readCloudEvent(value)] };
  if (mediaType === BINARY)
    return { isBatch: false, events: [readCloudEvent({ ...attributesOf(headers), data: value })] };
  if (!Array.isArray(value))
    throw new UsageStatsError("bad_json", "The body must be a JSON array of CloudEvents.", { field: "body" });
  if (value.length > maxEvents)
    throw new UsageStatsError("batch_too_large", `Send 1 to ${maxEvents} events.`, {
      field: "body",
      value: value.length,
      limit: String(maxEvents),
    });
  return { isBatch: true, events: value.map(readCloudEvent) };
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (cause) {
    throw new UsageStatsError("bad_json", "The body is not JSON.", { field: "body", cause });
  }
}

function attributesOf(headers: Headers): Record<string, string> {
  const attributes: Record<string, string> = {};
  for (const name of ["specversion", "id", "source", "type", "subject", "time"]) {
    const value = headers.get(`ce-${name}`);
    if (value !== null) attributes[name] = percentDecoded(value);
  }
  return attributes;
}

/** What is not printable ASCII is percent-encoded in a header; some senders leave a lone % as it is. */
function percentDecoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
