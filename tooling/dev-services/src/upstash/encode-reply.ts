import { type RedisReply } from "./command-runner.ts";

export type JsonReply = string | number | null | JsonReply[];

/**
 * The `result` of an answer. In base64 the lone status OK stays as it is, as the service documents; inside an array it is
 * encoded like all else, because there the client decodes every string.
 */
export function encodeReply(reply: RedisReply, encoding: "base64" | "utf8"): JsonReply {
  return reply === "OK" ? reply : encode(reply, encoding);
}

function encode(reply: RedisReply, encoding: "base64" | "utf8"): JsonReply {
  if (Array.isArray(reply)) return reply.map((item) => encode(item, encoding));
  if (reply === null || typeof reply === "number") return reply;
  return Buffer.from(reply).toString(encoding);
}
