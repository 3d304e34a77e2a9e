import { type Attribute, type AttributeValue } from "./trace-request.ts";

/** Attributes by name. Of a name that comes twice the last one holds. */
export type Attributes = ReadonlyMap<string, string | number | boolean>;

export function attributesOf(list: readonly Attribute[] | null | undefined): Attributes {
  const found = new Map<string, string | number | boolean>();
  for (const { key, value } of list ?? []) {
    const plain = value ? plainValue(value) : null;
    if (key && plain !== null) found.set(key, plain);
  }
  return found;
}

function plainValue({ stringValue, boolValue, intValue, doubleValue }: AttributeValue) {
  return (
    stringValue ?? boolValue ?? wholeNumber(intValue) ?? (doubleValue == null ? null : Number(doubleValue))
  );
}

/** What is no whole number stays what it is, for whoever checks the call to reject. */
function wholeNumber(value: string | number | null | undefined): string | number | null {
  if (typeof value !== "string") return value ?? null;
  return /^-?\d+$/.test(value) ? Number(value) : value;
}

/** The first of these attributes that says something, as text. */
export function textOf(attributes: readonly Attributes[], ...names: string[]): string | undefined {
  const value = valueOf(attributes, ...names);
  return value === undefined ? undefined : String(value);
}

/** The first of these attributes that is there: by name first, then by where it is. */
export function valueOf(
  attributes: readonly Attributes[],
  ...names: string[]
): string | number | boolean | undefined {
  for (const name of names)
    for (const place of attributes) {
      const value = place.get(name);
      if (value !== undefined && value !== "") return value;
    }
  return undefined;
}
