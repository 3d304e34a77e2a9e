import { createCallRecorder } from "../../src/recording/create-call-recorder.ts";
import { recordedCall } from "./recorded-call.ts";

/** A gateway that has logged some calls when it is told to end, as docs/adapters.md shows it. */
const [, , url, count] = process.argv;
const recorder = createCallRecorder({
  url: url!,
  token: "a key",
  flushMs: 60_000,
  retryMs: 5,
  onRefused: ({ id }, why) => console.log(`refused ${id}: ${why}`),
  onRejected: ({ id }, field) => console.log(`rejected ${id}: ${field}`),
});
for (let id = 1; id <= Number(count); id += 1) recorder.record(recordedCall({ id: String(id) }));

process.once("SIGTERM", () => void recorder.close().then(({ unsent }) => console.log(`unsent ${unsent}`)));
console.log("ready");
