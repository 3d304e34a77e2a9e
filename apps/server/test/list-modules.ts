// `node --import list-modules.ts`: appends the address of every module that the process loads, a line each, to MODULES_FILE.
import { appendFileSync } from "node:fs";
import { registerHooks } from "node:module";

const file = process.env["MODULES_FILE"]!;

registerHooks({
  load(url, context, nextLoad) {
    appendFileSync(file, `${url}\n`);
    return nextLoad(url, context);
  },
});
