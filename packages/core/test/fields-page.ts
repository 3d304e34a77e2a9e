import {
  CALL_FIELD_NAMES,
  CALL_FIELDS,
  type CallField,
  MAX_TAGS,
  METRIC_NAMES,
  METRICS,
  type Metric,
  TAG_VALUE_LIMITS,
} from "../src/index.ts";

/** `docs/fields.md`, made of the lists. */
export function fieldsPage(): string {
  return `# What a call holds, and what is counted of calls

This page is made of the lists in \`packages/core\` (\`CALL_FIELDS\` and \`METRICS\`) by
\`npm test -- packages/core/test/fields-page.test.ts -u\`; the same test fails while it says anything else.

## Fields of a call

The names are those of the API, of imports and of exported CSV. What is not required may be absent or \`null\`: unknown, which
is not zero. \`userDid\`, \`id\` and \`callTime\` tell a call from all others; the same again with other content is a correction.

${table(
  ["field", "", "holds", ""],
  CALL_FIELD_NAMES.map((name) => {
    const field: CallField = CALL_FIELDS[name];
    return [`\`${name}\``, field.required === true ? "required" : "", holds(field), field.about];
  }),
)}

## Metrics

What every answer says: of the whole range, of each bucket, type, model and group. Rankings can be ordered by any of them.
What is unknown adds nothing to a sum, and is left out of averages.

${table(
  ["metric", "is", ""],
  METRIC_NAMES.map((name) => [`\`${name}\``, means(METRICS[name]), METRICS[name].about]),
)}
`;
}

function table(head: string[], rows: string[][]): string {
  const line = (cells: string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

function holds(field: CallField): string {
  switch (field.kind) {
    case "name":
      return `1 to ${field.max} characters, at most ${field.maxBytes} bytes`;
    case "text":
      return `text of at most ${field.max} characters`;
    case "cut_text":
      return `text, cut to ${field.max} characters`;
    case "choice":
      return field.values.map((value) => `\`${value}\``).join(", ");
    case "instant":
      return "ISO 8601 with an offset, or unix seconds; to the millisecond";
    case "count":
      return "a whole number, 0 to 10^12";
    case "milliseconds":
      return "milliseconds, 0 to 10^12, rounded to whole ones";
    case "decimal":
      return "a decimal as text or a number, at most 12 digits and 8 decimals";
    case "object":
      return "a JSON object";
    case "tags":
      return `a JSON object of at most ${MAX_TAGS} declared names, each with text of 1 to ${TAG_VALUE_LIMITS.maxBytes} bytes; in CSV also a column \`tags.<name>\` each`;
  }
}

function means(metric: Metric): string {
  switch (metric.kind) {
    case "calls":
      return "a number of calls";
    case "sum":
      return "a sum";
    case "decimal_sum":
      return "a sum, as decimal text";
    case "average":
      return "`{ avg }` over successful calls that told it, or `null` where none did";
  }
}
