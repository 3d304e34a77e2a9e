import { tagsAskedFor, UsageStatsError } from "@usage-stats/core";
import { sayDeclared } from "../calls/model-call-tags.ts";

/** Refuses a question that groups or filters by a tag that is not declared, naming it. Throws `invalid_option`. */
export function refuseUndeclaredTags(
  asked: Parameters<typeof tagsAskedFor>[0],
  declared: readonly string[],
): void {
  const undeclared = tagsAskedFor(asked).find(({ name }) => !declared.includes(name));
  if (undeclared === undefined) return;
  const { name, field } = undeclared;
  throw new UsageStatsError(
    "invalid_option",
    `There is no tag ${JSON.stringify(name)}: ${sayDeclared(declared)}.`,
    { field },
  );
}
