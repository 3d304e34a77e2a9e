/** Whether a key matches a pattern of KEYS or SCAN: `*`, `?`, `[a-z]`, `[^a]`, and `\` before a character meant as itself. */
export function globMatcher(pattern: string): (key: string) => boolean {
  const regExp = new RegExp(`^${toRegExp(bytes(pattern))}$`, "s");
  return (key) => regExp.test(bytes(key));
}

/** One character per byte: to Redis `?` is one byte of a key, not one letter. */
function bytes(text: string): string {
  return Buffer.from(text).toString("latin1");
}

function toRegExp(glob: string): string {
  let source = "";
  for (let i = 0; i < glob.length; i++) {
    if (glob[i] === "*") source += ".*";
    else if (glob[i] === "?") source += ".";
    else if (glob[i] === "[") {
      const set = readSet(glob, i + 1);
      source += set.source;
      i = set.end;
    } else {
      if (isEscape(glob, i)) i++;
      source += literal(glob, i);
    }
  }
  return source;
}

/** A set from behind its `[`; `end` is where its `]` is. One that is never closed ends with the pattern. */
function readSet(glob: string, start: number): { source: string; end: number } {
  let i = start;
  let source = "[";
  if (glob[i] === "^") {
    source += "^";
    i++;
  }
  for (; i < glob.length && glob[i] !== "]"; i++) {
    if (isEscape(glob, i)) {
      i++;
      source += literal(glob, i);
    } else if (glob[i + 1] === "-" && i + 2 < glob.length) {
      const [low, high] = [glob.charCodeAt(i), glob.charCodeAt(i + 2)].toSorted((a, b) => a - b);
      source += `${hex(low!)}-${hex(high!)}`;
      i += 2;
    } else source += literal(glob, i);
  }
  return { source: `${source}]`, end: i };
}

function isEscape(glob: string, i: number): boolean {
  return glob[i] === "\\" && i + 1 < glob.length;
}

function literal(glob: string, i: number): string {
  return hex(glob.charCodeAt(i));
}

function hex(byte: number): string {
  return `\\x${byte.toString(16).padStart(2, "0")}`;
}
