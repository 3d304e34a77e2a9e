import { ModelCalls } from "./20261123000001-model-calls.ts";
import { ModelCallStats } from "./20261123000002-model-call-stats.ts";
import { ModelCallChanges } from "./20261123000003-model-call-changes.ts";
import { AnnounceChanges } from "./20261123000004-announce-changes.ts";
import { Access } from "./20261123000005-access.ts";
import { VoidCalls } from "./20261123000006-void-calls.ts";
import { OwnSchema } from "./20261125000001-own-schema.ts";
import { FrozenQuarters } from "./20261125000002-frozen-quarters.ts";
import { OneKey } from "./20261125000003-one-key.ts";
import { AnnounceAtCommit } from "./20261125000004-announce-at-commit.ts";
import { MeasureLimits } from "./20261125000005-measure-limits.ts";
import { WholeSums } from "./20261125000006-whole-sums.ts";
import { OneEntry } from "./20261125000007-one-entry.ts";
import { CallDimensions } from "./20261125000008-call-dimensions.ts";
import { NewMeasures } from "./20261125000009-new-measures.ts";
import { AdaptiveRollups } from "./20261125000010-adaptive-rollups.ts";

/** In the order they run. A migration that has been released is never changed: add another. */
export const migrationsList = [
  { name: "20261123000001-model-calls", class: ModelCalls },
  { name: "20261123000002-model-call-stats", class: ModelCallStats },
  { name: "20261123000003-model-call-changes", class: ModelCallChanges },
  { name: "20261123000004-announce-changes", class: AnnounceChanges },
  { name: "20261123000005-access", class: Access },
  { name: "20261123000006-void-calls", class: VoidCalls },
  { name: "20261125000001-own-schema", class: OwnSchema },
  { name: "20261125000002-frozen-quarters", class: FrozenQuarters },
  { name: "20261125000003-one-key", class: OneKey },
  { name: "20261125000004-announce-at-commit", class: AnnounceAtCommit },
  { name: "20261125000005-measure-limits", class: MeasureLimits },
  { name: "20261125000006-whole-sums", class: WholeSums },
  { name: "20261125000007-one-entry", class: OneEntry },
  { name: "20261125000008-call-dimensions", class: CallDimensions },
  { name: "20261125000009-new-measures", class: NewMeasures },
  { name: "20261125000010-adaptive-rollups", class: AdaptiveRollups },
];
