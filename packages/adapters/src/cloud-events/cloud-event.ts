import * as z from "zod";

/** The one type of event that is read: a call as it is now, or with `void: true` that it is void. */
export const MODEL_CALL_EVENT = "com.usage-stats.model-call.v1";

const text = (name: string) => z.string(`${name} must be text`).min(1, `${name} must not be empty`);

/**
 * A CloudEvent (https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md) of a model call. The official SDK is not used to
 * read it: where `id` or `time` is missing it makes one up, and an event that is sent again would count twice.
 */
const cloudEventSchema = z.object(
  {
    specversion: z.literal("1.0", 'specversion must be "1.0"'),
    id: text("id"),
    source: text("source"),
    type: z.literal(MODEL_CALL_EVENT, `type must be "${MODEL_CALL_EVENT}"`),
    subject: text("subject").optional(),
    time: text("time").optional(),
    datacontenttype: z
      .string()
      .regex(/^application\/([\w.-]+\+)?json\s*(;|$)/i, "datacontenttype must be JSON")
      .optional(),
    data: z.record(z.string(), z.unknown(), "data must be a call, as a JSON object"),
  },
  "must be a CloudEvent, as a JSON object",
);

/** The call of an event, not checked; or why the event is none of ours. */
export type EventRead =
  | { call: Record<string, unknown> }
  | { id: string | null; field: string | null; reason: string };

/** Reads an event in the shape of its JSON. What its data leaves out, the event says: `id`, `subject` and `time`. */
export function readCloudEvent(value: unknown): EventRead {
  const parsed = cloudEventSchema.safeParse(value);
  if (parsed.success) {
    const { id, subject: userDid, time: callTime, data } = parsed.data;
    return { call: { id, ...(userDid && { userDid }), ...(callTime && { callTime }), ...data } };
  }
  const { path, message } = parsed.error.issues[0]!;
  return { id: idOf(value), field: path.length === 0 ? null : path.join("."), reason: `${message}.` };
}

function idOf(value: unknown): string | null {
  if (typeof value !== "object" || value === null) return null;
  const id: unknown = Object.getOwnPropertyDescriptor(value, "id")?.value;
  return typeof id === "string" ? id.slice(0, 128) : null;
}
