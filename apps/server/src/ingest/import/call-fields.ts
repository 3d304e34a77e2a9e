import { CALL_FIELD_NAMES, CALL_FIELDS, type CallField, type CallFieldName } from "@usage-stats/core";

export function isCallField(name: string): name is CallFieldName {
  return Object.hasOwn(CALL_FIELDS, name);
}

/** Whether a call is none without it. */
export function isRequiredField(field: CallFieldName): boolean {
  return "required" in CALL_FIELDS[field];
}

/** Whether its text in a CSV is JSON. */
export function isJson(field: CallFieldName): boolean {
  const { kind }: CallField = CALL_FIELDS[field];
  return kind === "object" || kind === "tags";
}

/** The field that a name most likely means: the same letters in another case or spacing, such as `call_time`. */
export function likeField(name: string): CallFieldName | undefined {
  const letters = (text: string) => text.toLowerCase().replace(/[^a-z0-9]/g, "");
  return CALL_FIELD_NAMES.find((field) => letters(field) === letters(name));
}
