import { createProgram } from "./commands/program.ts";
import { sentenceOf } from "./sentence-of.ts";

try {
  await createProgram().parseAsync();
} catch (error) {
  const sentence = sentenceOf(error);
  console.error(sentence === null ? error : `usage-stats: ${sentence}`);
  process.exitCode = 1;
}
