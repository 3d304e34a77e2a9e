import { UsageStatsError } from "@usage-stats/core";
import * as z from "zod";
import { inputError } from "../errors.ts";

/**
 * Makes a reader of query strings of a schema whose keys are the parameters: an array is sent as one parameter for each of its
 * values, anything else once. `fields` says what a refusal calls a parameter, where that is not its own name. The reader throws
 * `UsageStatsError`: `unknown_field` for a parameter that is not in the schema, `invalid_option` for one sent twice that must not be,
 * and whatever the schema refuses.
 */
export function queryReader<Schema extends z.ZodType>(
  schema: Schema,
  fields: Readonly<Record<string, string>> = {},
): (query: URLSearchParams) => z.output<Schema> {
  const parameters = parametersOf(schema);
  return (query) => {
    const result = schema.safeParse(valuesOf(query, parameters));
    if (result.success) return result.data;
    throw inputError({ issues: result.error.issues.map((issue) => inFields(issue, fields)) });
  };
}

type Parameters = ReadonlyMap<string, { isList: boolean }>;

/** The parameters, as whatever describes them to others finds them too. */
function parametersOf(schema: z.ZodType): Parameters {
  const { properties = {} } = z.toJSONSchema(schema, { io: "input" });
  return new Map(
    Object.entries(properties).map(([name, property]) => [
      name,
      { isList: typeof property === "object" && property.type === "array" },
    ]),
  );
}

function valuesOf(query: URLSearchParams, parameters: Parameters): Record<string, string | string[]> {
  const values: [string, string | string[]][] = [];
  for (const [name, sent] of Map.groupBy(query, ([key]) => key)) {
    const parameter = parameters.get(name);
    if (parameter === undefined) {
      const field = name.slice(0, 100);
      throw new UsageStatsError("unknown_field", `There is no parameter "${field}".`, { field });
    }
    const texts = sent.map(([, text]) => text);
    if (!parameter.isList && texts.length > 1)
      throw new UsageStatsError("invalid_option", `${name} was sent more than once.`, { field: name });
    values.push([name, parameter.isList ? texts : texts[0]!]);
  }
  return Object.fromEntries(values);
}

function inFields<Issue extends z.core.$ZodIssue>(
  issue: Issue,
  fields: Readonly<Record<string, string>>,
): Issue {
  const [name, ...inner] = issue.path;
  const field = typeof name === "string" ? fields[name] : undefined;
  return field === undefined ? issue : { ...issue, path: [field, ...inner] };
}
