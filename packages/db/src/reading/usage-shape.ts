import {
  type AggregateQuery,
  type GroupDimension,
  type RankingMetric,
  type TagDimension,
  tagOf,
  type UsageFilter,
} from "@usage-stats/core";
import { type Level, levelFor } from "./detail-levels.ts";

/** What the text of a statement depends on; everything else of a question is a value. */
export type UsageShape = {
  isEveryone: boolean;
  groupBy: GroupDimension[];
  filter: FilterField[];
  rankBy: RankingMetric;
  hasSeries: boolean;
};

/** A field of a filter that has a list, or a tag that has one. */
export type FilterField = Exclude<keyof UsageFilter, "tags"> | TagDimension;

/** The column of calls that each dimension groups by, but for tags. */
const DIMENSION_COLUMNS: Record<Exclude<GroupDimension, TagDimension>, string> = {
  app: "app_did",
  key: "key_id",
  provider: "provider_id",
  model: "model",
  type: "type",
  status: "status",
};

/** The column of calls that each field of a filter looks at, but for tags. */
const FILTER_COLUMNS: Record<Exclude<FilterField, TagDimension>, string> = {
  appDids: "app_did",
  keyIds: "key_id",
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

/** Gives the fields of a filter that have a list, and the tags that have one. */
export function fieldsOf(filter: UsageFilter): FilterField[] {
  const fields = Object.keys(FILTER_COLUMNS) as (keyof typeof FILTER_COLUMNS)[];
  const tags = Object.keys(filter.tags ?? {}).toSorted();
  return [
    ...fields.filter((field) => filter[field] !== undefined),
    ...tags.map((name) => `tag.${name}` as const),
  ];
}

/** Gives the list that a filter has for a field. */
export function listOf(filter: UsageFilter, field: FilterField): readonly string[] | undefined {
  return isTag(field) ? filter.tags?.[nameOf(field)] : filter[field];
}

/** A column of calls, and what of it is looked at, as SQL: a tag is one of the column `tags`. */
export type Looked = { column: string; value: string };

/** Says what a field of a filter looks at. */
export function filtered(field: FilterField): Looked {
  return isTag(field) ? tagValue(field) : whole(FILTER_COLUMNS[field]);
}

/** Says what each of a shape's dimensions groups by. */
export function grouped({ groupBy }: Pick<UsageShape, "groupBy">): Looked[] {
  return groupBy.map((dimension) =>
    isTag(dimension) ? tagValue(dimension) : whole(DIMENSION_COLUMNS[dimension]),
  );
}

/** Names the columns of a shape's groups, each once. */
export function groupColumns(shape: Pick<UsageShape, "groupBy">): string[] {
  return [...new Set(grouped(shape).map(({ column }) => column))];
}

function whole(column: string): Looked {
  return { column, value: column };
}

function tagValue(dimension: TagDimension): Looked {
  return { column: "tags", value: `(tags ->> '${nameOf(dimension)}')` };
}

function isTag(name: FilterField | GroupDimension): name is TagDimension {
  return name.startsWith("tag.");
}

/** The name of a tag, which stands in statements as it is: it is made of small letters, digits and `_`. */
function nameOf(dimension: TagDimension): string {
  const name = tagOf(dimension);
  if (name === null) throw new Error(`${dimension} is no tag`);
  return name;
}

/** Gives the level of detail that each part of an answer reads: the narrowest that knows what it groups and filters by. */
export function levelsOf(shape: Pick<UsageShape, "groupBy" | "filter">): {
  series: Level;
  models: Level;
  groups: Level;
} {
  const columns = shape.filter.map((field) => filtered(field).column);
  return {
    series: levelFor(["type", ...columns]),
    models: levelFor(["provider_id", "model", ...columns]),
    groups: levelFor([...groupColumns(shape), ...columns]),
  };
}
