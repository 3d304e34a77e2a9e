import { UsageStatsError } from "@usage-stats/core";
import { sayDeclared } from "../calls/model-call-tags.ts";

/** Refuses tags of which one is not declared, naming it and the field that says it. Throws `invalid_option`. */
export function refuseUndeclaredTags(
  asked: readonly { name: string; field: string }[],
  declared: readonly string[],
): void {
  const undeclared = asked.find(({ name }) => !declared.includes(name));
  if (undeclared === undefined) return;
  const { name, field } = undeclared;
  throw new UsageStatsError(
    "invalid_option",
    `There is no tag ${JSON.stringify(name)}: ${sayDeclared(declared)}.`,
    { field },
  );
}
