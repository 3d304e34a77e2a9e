import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { hashOfSecret, isKeyText, newKeyId, newKeyText, parseKeyText } from "../src/index.ts";

describe("an API key's text", () => {
  it("is taken apart into what it was made of", async () => {
    const id = newKeyId();
    const { text, hash } = await newKeyText(id);
    const { secret } = parseKeyText(text)!;
    expect(text).toBe(`usk_${id}_${secret}`);
    expect(await hashOfSecret(secret)).toBe(hash);
  });

  it("is none with a letter more, less, or of another alphabet", async () => {
    const { text } = await newKeyText(newKeyId());
    for (const other of [`${text}a`, text.slice(0, -1), text.replace("usk_", "usk_1"), text.toUpperCase()])
      expect(parseKeyText(other)).toBeNull();
    expect(isKeyText("usk_anything")).toBe(true);
    expect(isKeyText("usv_anything")).toBe(false);
  });

  it("of the form that was given out before is read", () => {
    const secret = "Gu-DUvMhNDJPvABlAhBI9Mc9eQOhnaZPs_lqJ24NRYH";
    expect(parseKeyText(`usk_abcdefgh2345_${secret}`)).toEqual({ id: "abcdefgh2345", secret });
  });

  it("has the hash that keys were stored with before: SHA-256 of its secret's UTF-8, in hexadecimal", async () => {
    expect(await hashOfSecret("")).toBe("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    const secret = "äb-_".repeat(10);
    expect(await hashOfSecret(secret)).toBe(createHash("sha256").update(secret).digest("hex"));
  });
});
