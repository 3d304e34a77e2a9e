import {
  type AggregateQuery,
  type GroupDimension,
  type RankingMetric,
  type UsageFilter,
} from "@usage-stats/core";
import { type Level, levelFor } from "./detail-levels.ts";

/** What the text of a statement depends on; everything else of a question is a value. */
export type UsageShape = {
  isEveryone: boolean;
  groupBy: GroupDimension[];
  filter: (keyof UsageFilter)[];
  rankBy: RankingMetric;
  hasSeries: boolean;
};

/** The column of calls that each dimension groups by. */
const DIMENSION_COLUMNS: Record<GroupDimension, string> = {
  app: "app_did",
  provider: "provider_id",
  model: "model",
  type: "type",
  status: "status",
};

/** The column of calls that each field of a filter looks at. */
export const FILTER_COLUMNS: Record<keyof UsageFilter, string> = {
  appDids: "app_did",
  providerIds: "provider_id",
  models: "model",
  types: "type",
  status: "status",
};

/** Gives the shape of a query. */
export function shapeOf({ userDid, groupBy, filter, rankBy, edges }: AggregateQuery): UsageShape {
  return {
    isEveryone: userDid === null,
    groupBy,
    filter: fieldsOf(filter),
    rankBy,
    hasSeries: edges.length > 0,
  };
}

/** Gives the fields of a filter that have a list. */
export function fieldsOf(filter: UsageFilter): (keyof UsageFilter)[] {
  const fields = Object.keys(FILTER_COLUMNS) as (keyof UsageFilter)[];
  return fields.filter((field) => filter[field] !== undefined);
}

/** Names the columns of a shape's groups. */
export function groupColumns({ groupBy }: Pick<UsageShape, "groupBy">): string[] {
  return groupBy.map((dimension) => DIMENSION_COLUMNS[dimension]);
}

/** Gives the level of detail that each part of an answer reads: the narrowest that knows what it groups and filters by. */
export function levelsOf(shape: Pick<UsageShape, "groupBy" | "filter">): {
  series: Level;
  models: Level;
  groups: Level;
} {
  const filtered = shape.filter.map((field) => FILTER_COLUMNS[field]);
  return {
    series: levelFor(["type", ...filtered]),
    models: levelFor(["provider_id", "model", ...filtered]),
    groups: levelFor([...groupColumns(shape), ...filtered]),
  };
}
