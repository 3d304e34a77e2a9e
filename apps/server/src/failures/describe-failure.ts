import { UsageStatsError } from "@usage-stats/core";
import { ConnectionRefusal, type ServerError, serverErrorOf } from "@usage-stats/db";

// Classes whose messages are about connections, roles, resources, locks and the server itself, and never about what a statement held.
const SAYS_NO_DATA = /^(08|25|28|3D|40|53|55|57|58|XX00[12]|42501|42P01|42703)/;
// A message begins with the server's own words; data, where there is any, comes quoted, after a colon, or as a number.
const MAY_BE_DATA = /["'`«»‹›‘’‚‛“”„‟「『:\d]/u;
const LONGEST = 300;

/**
 * Why something failed, in one line, from the chain of causes: `SQLSTATE 53300 too many connections for role "x"`. Safe to log:
 * nothing of it was sent by a client, whatever library threw it.
 */
export function describeFailure(error: unknown): string {
  const fromServer = serverErrorOf(error);
  if (fromServer !== null) return inOneLine(describeServerError(fromServer));
  const causes = causesOf(error);
  const root = causes.at(-1);
  if (root === undefined) return "something was thrown that is no error";
  return inOneLine(describeOther(root, causes.some(isRefusal)));
}

/** Where an error was thrown, without its message, which may quote anything: the frames of its stack, a line each. */
export function framesOf(error: unknown): string[] {
  const root = causesOf(error).at(-1);
  const { stack = "", message = "" } = root ?? {};
  const start = stack.indexOf(message);
  const lines = (start < 0 ? stack : stack.slice(start + message.length)).split("\n");
  return lines.filter((line) => /^ {4}at .*:\d+:\d+\)?$/.test(line)).map(inOneLine);
}

/** Line breaks and other control characters written out: whoever reads a line, reads all of one event and nothing else. */
export function inOneLine(text: string): string {
  const cut = text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
  return cut.replace(
    /[\p{Cc}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function describeServerError(error: ServerError): string {
  const { code, table, constraint } = error;
  // MikroORM appends the detail, which is data, on lines of its own.
  const message = error.message.split("\n", 1)[0]!;
  if (SAYS_NO_DATA.test(code)) return `SQLSTATE ${code} ${message}`;
  const names = Object.entries({ table, constraint }).flatMap(([kind, name]) =>
    typeof name === "string" ? [`${kind} ${name}`] : [],
  );
  // What `raise` says in somebody's function may begin with anything.
  const said = code.startsWith("P0") ? "" : ` ${withoutData(message)}`;
  return `SQLSTATE ${code}${said}${names.length === 0 ? "" : ` (${names.join(", ")})`}`;
}

/** What drivers throw when something cannot be had begins with their own words; of any other error the name must do. */
function describeOther(error: Error, isRefused: boolean): string {
  if (isRefusal(error)) return error.message;
  const code = "code" in error && typeof error.code === "string" ? error.code : null;
  // Of the system: an address, a port, a file.
  if (code !== null && /^E[A-Z]+$/.test(code)) {
    const first = error instanceof AggregateError ? (error.errors[0] as unknown) : undefined;
    const { message } = first instanceof Error ? first : error;
    return message.includes(code) ? message : `${code} ${message}`;
  }
  const name = code === null ? error.name : `${error.name} ${code}`;
  const isOfLanguage = error instanceof TypeError || error instanceof ReferenceError;
  return isRefused || isOfLanguage ? `${name}: ${withoutData(error.message)}` : name;
}

/** Whether the message of an error is a sentence of ours. */
export function isRefusal(error: unknown): boolean {
  return error instanceof UsageStatsError || error instanceof ConnectionRefusal;
}

function withoutData(message: string): string {
  const at = message.search(MAY_BE_DATA);
  return at < 0 ? message : `${message.slice(0, at).trim()}…`;
}

/** The error, what caused it, and so on. */
function causesOf(error: unknown): Error[] {
  const causes: Error[] = [];
  for (let cause = error; cause instanceof Error && !causes.includes(cause); cause = cause.cause)
    causes.push(cause);
  return causes;
}
