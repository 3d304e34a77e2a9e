import {
  type AggregateQuery,
  type GroupDimension,
  type RankedAggregateQuery,
  type RankedBy,
} from "@usage-stats/core";

const GROUPED_BY: Record<RankedBy, GroupDimension[]> = {
  user: [],
  app: ["app"],
  model: ["provider", "model"],
};

/** Asks a ranking's query of all users together. */
export function askedOfEveryone({ range, settled, filter, by }: RankedAggregateQuery): AggregateQuery {
  const groupBy = GROUPED_BY[by];
  return {
    userDid: null,
    range,
    previous: null,
    settled,
    edges: [],
    groupBy,
    filter,
    rankBy: "calls",
    topN: 1,
  };
}
