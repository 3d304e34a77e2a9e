import { KNOWN_SCRIPTS } from "../../../src/upstash/known-scripts.ts";

/** The scripts of the cache, which both runners know. */
export const [READ = "", ENSURE = "", REPLACE = ""] = KNOWN_SCRIPTS.keys();
