import { type Command } from "commander";
import { readSettings } from "../env.ts";
import { serve } from "../serve/serve.ts";
import { settingsHelp } from "../settings/settings-help.ts";

export function registerServe(program: Command): void {
  program
    .command("serve")
    .description("run the server; settings come from the environment")
    .addHelpText("after", settingsHelp())
    .action(async () => {
      const stop = new AbortController();
      for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
        process.on(signal, () => {
          // A second signal means now; the embedded database recovers from that.
          if (stop.signal.aborted) process.exit(1);
          stop.abort();
        });
      }
      await serve(readSettings(), stop.signal);
    });
}
