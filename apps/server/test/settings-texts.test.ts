import { join } from "node:path";
import { expect, it } from "vitest";
import { envExample, pageWithSettings } from "./settings-texts.ts";

const REPOSITORY = join(import.meta.dirname, "../../..");

it("docs/operating.md says of every setting what the table says", async () => {
  const page = join(REPOSITORY, "docs/operating.md");
  await expect(pageWithSettings(page)).toMatchFileSnapshot(page);
});

it(".env.example says of every setting what the table says", async () => {
  await expect(envExample()).toMatchFileSnapshot(join(REPOSITORY, ".env.example"));
});
