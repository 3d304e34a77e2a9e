import { CALL_COLUMNS } from "../csv/calls-csv.ts";

export type CallField = (typeof CALL_COLUMNS)[number];

const REQUIRED = new Set<CallField>(["id", "userDid", "providerId", "model", "type", "status", "callTime"]);

export function isCallField(name: string): name is CallField {
  return (CALL_COLUMNS as readonly string[]).includes(name);
}

/** Whether a call is none without it. */
export function isRequiredField(field: CallField): boolean {
  return REQUIRED.has(field);
}

/** The field that a name most likely means: the same letters in another case or spacing, such as `call_time`. */
export function likeField(name: string): CallField | undefined {
  const letters = (text: string) => text.toLowerCase().replace(/[^a-z0-9]/g, "");
  return CALL_COLUMNS.find((field) => letters(field) === letters(name));
}
