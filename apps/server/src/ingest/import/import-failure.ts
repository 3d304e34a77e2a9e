import { OperatorError } from "../../operator-error.ts";
import { sentenceOf } from "../../sentence-of.ts";
import { type ImportCounts } from "./import-counts.ts";

const SHOWN_CHARACTERS = 500;

/** An import that could not go on, for a reason outside of its calls: what `counts` says is in stays in. */
export class ImportFailure extends OperatorError {
  readonly counts: ImportCounts;

  constructor(counts: ImportCounts, cause: unknown) {
    super(`${messageOf(cause)}\n${whatIsIn(counts)}`, { cause });
    this.counts = counts;
  }
}

function messageOf(cause: unknown): string {
  const sentence = sentenceOf(cause);
  if (sentence !== null) return sentence;
  const message = String(cause);
  return `The import failed: ${message.length > SHOWN_CHARACTERS ? `${message.slice(0, SHOWN_CHARACTERS)}…` : message}`;
}

function whatIsIn({ line }: ImportCounts): string {
  if (line === 0) return "Nothing was imported.";
  return `Everything up to line ${line.toLocaleString("en")} is in. Import the same again to go on: no call is counted twice.`;
}
