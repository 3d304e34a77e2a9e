/**
 * A failure for the log: what it is called, its code, and the first line of what it says. An error of a library is never logged
 * whole: the driver's hold rows (`detail: Failing row contains …`), others' the request or the answer.
 */
export function failureLine(error: unknown): string {
  if (!(error instanceof Error)) return "an unknown failure";
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  const said = error.message.split("\n", 1)[0]!;
  const name = ["Error", "DriverException"].includes(error.name) ? "" : error.name;
  return [name, said.includes(code) ? "" : code, said].filter((part) => part !== "").join(" ") || "Error";
}

/** The same, and where it was thrown: for what nobody expects. */
export function failureText(error: unknown): string {
  const frames =
    error instanceof Error ? (error.stack ?? "").split("\n").filter((line) => /^\s+at /.test(line)) : [];
  return [failureLine(error), ...frames].join("\n");
}
