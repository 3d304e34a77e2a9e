import { expect, it } from "vitest";
import { fieldsPage } from "./fields-page.ts";

it("the docs say of every field and metric what the lists say", async () => {
  await expect(fieldsPage()).toMatchFileSnapshot("../../../docs/fields.md");
});
