/** A request that names no command. Answered with 400. */
export class MalformedRequestError extends Error {
  override readonly name = "MalformedRequestError";
}

/** Reads `["SET", "key", 1]`. */
export function readCommand(body: string): string[] {
  return toCommand(parseJson(body));
}

/** Reads `[["SET", "key", 1], ["GET", "key"]]`. */
export function readCommands(body: string): string[][] {
  const rows = parseJson(body);
  if (!Array.isArray(rows) || rows.length === 0) {
    throw new MalformedRequestError("ERR the body must be an array of commands");
  }
  return rows.map(toCommand);
}

/** Reads `/set/key/value/EX/60`. */
export function readPath(path: string): string[] {
  try {
    return toCommand(path.slice(1).split("/").map(decodeURIComponent));
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
    throw new MalformedRequestError("ERR the path is not URL-encoded UTF-8", { cause: error });
  }
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (error) {
    throw new MalformedRequestError("ERR the body is not JSON", { cause: error });
  }
}

function toCommand(words: unknown): string[] {
  if (!Array.isArray(words) || words.length === 0 || words[0] === "") {
    throw new MalformedRequestError("ERR a command is an array that begins with the command's name");
  }
  return words.map(toWord);
}

function toWord(word: unknown): string {
  if (typeof word === "string") return word;
  // The client sends numbers and booleans as JSON has them.
  if (typeof word === "number" || typeof word === "boolean") return String(word);
  throw new MalformedRequestError("ERR a command's words are strings or numbers");
}
