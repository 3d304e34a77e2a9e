import { CALL_FIELD_NAMES, CALL_FIELDS, type CallField, type FieldKind } from "@usage-stats/core";
import { isRequiredField } from "./call-fields.ts";

const SHOWN: Partial<Record<FieldKind, string>> = {
  decimal: ' ("0.00012345")',
  object: " (an object)",
  tags: " (an object)",
};

/** The fields that a call may be without, in lines of at most 100 characters. */
function optionalFields(): string {
  const names = CALL_FIELD_NAMES.filter((name) => !isRequiredField(name)).map((name) => {
    const { kind }: CallField = CALL_FIELDS[name];
    return `${name}${SHOWN[kind] ?? ""}`;
  });
  const lines = [names[0]!];
  for (const name of names.slice(1)) {
    const longer = `${lines.at(-1)!}, ${name}`;
    if (longer.length > 97) lines.push(name);
    else lines.splice(-1, 1, longer);
  }
  return lines.map((line) => `  ${line}`).join(",\n");
}

/** What `import --help` says after the options. */
export const IMPORT_HELP = `
A call, one on each line, with everything it needs:
  {"id":"call-1","userDid":"did:abt:z1…","providerId":"openai","model":"gpt-4o",
   "type":"chatCompletion","status":"success","callTime":"2026-01-31T10:00:00Z"}
and what it may have besides:
${optionalFields()}
type is chatCompletion, embedding, imageGeneration, audioGeneration, video or custom; status is
processing, success or failed; callTime may also be a number of unix seconds.

Two lines mean the same call if userDid, id and callTime are the same. The same again is repeated
and changes nothing; with other content it replaces what was there (corrected): the later wins.

CSV has a header with these names, or with others that --map tells; its callTime may be in unix
seconds or milliseconds too. A column that no field is read from is refused by its name, unless it is
left out with --ignore. What \`…/model-calls/export\` gives is taken back as it was.

Examples:
  usage-stats import calls.ndjson
  usage-stats import log.csv --map callTime=timestamp userDid=user --set type=chatCompletion status=success
  usage-stats import log.csv --map id=request userDid=user --ignore region host --delimiter ";"
  usage-stats import ModelCalls.csv --from aigne-hub
      the table of an AIGNE Hub, as CSV or NDJSON; its credentialId, providerTtfb, createdAt and
      updatedAt have no place in a call and are left out
  usage-stats import calls.ndjson.gz --on-error skip
      good lines go in, bad ones to calls.ndjson.gz.rejects.ndjson, each with its reason
  cat 2026-0*.ndjson.gz | usage-stats import -
      many files in one import, packed or not
  jq -r .input calls.ndjson.gz.rejects.ndjson > mended.ndjson
      the rejected lines as they were, to mend and import

Ends with 0 if every line is in, with 1 if it stopped or rejected any, with 130 if interrupted:
Ctrl-C writes what has been read and says how far it got.`;
