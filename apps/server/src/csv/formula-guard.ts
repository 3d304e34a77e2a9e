// What a spreadsheet takes for a formula, behind any number of guards. https://owasp.org/www-community/attacks/CSV_Injection
const RISKY = /^'*[=+\-@\t\r]/;
const GUARDED = /^'+[=+\-@\t\r]/;

/** Text that no spreadsheet runs: an apostrophe before what would be a formula. */
export function guardFormula(text: string): string {
  return RISKY.test(text) ? `'${text}` : text;
}

/** The text as it was before `guardFormula`. */
export function unguardFormula(text: string): string {
  return GUARDED.test(text) ? text.slice(1) : text;
}
