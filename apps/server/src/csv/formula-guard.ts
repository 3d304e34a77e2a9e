// What a spreadsheet takes for a formula (https://owasp.org/www-community/attacks/CSV_Injection), or for its full-width twin.
const FORMULA = String.raw`[=+\-@\t＝＋－＠]`;
// Where some reader begins a new line.
const BREAK = String.raw`[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]`;
// What a reader may skip or not show: blanks, control and format characters, byte order marks, fillers.
const SKIPPED = String.raw`(?:(?!${BREAK})[\s\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}])`;

const LINE_START = `(?<=^|${BREAK})`;
// Behind any number of guards, so that a text which looks guarded already is not mistaken for it.
const BEFORE_FORMULA = `(?='*${SKIPPED}*${FORMULA})`;
const BEFORE_BREAK = `(?='*${SKIPPED}*${BREAK})`;

const UNGUARDED = new RegExp(`${LINE_START}${BEFORE_FORMULA}|^${BEFORE_BREAK}`, "gu");
const GUARDED = new RegExp(`${LINE_START}'${BEFORE_FORMULA}|^'${BEFORE_BREAK}`, "gu");

/** Text that no spreadsheet runs: an apostrophe before each line that it would take for a formula, and before a break it begins with. */
export function guardFormula(text: string): string {
  return text.replaceAll(UNGUARDED, "'");
}

/** The text as it was before `guardFormula`. */
export function unguardFormula(text: string): string {
  return text.replaceAll(GUARDED, "");
}
