import * as z from "zod";

/** An instant on the wire: ISO 8601 text, because a `Date` would take a transformer that could be attacked. */
export const instant = z.iso
  .datetime({
    offset: true,
    error: "an ISO 8601 instant with Z or an offset, such as 2026-01-31T00:00:00Z",
  })
  .transform((iso) => new Date(iso));
