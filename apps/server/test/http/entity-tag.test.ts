import fc from "fast-check";
import { expect, it } from "vitest";
import { entityTag, isNotModified } from "../../src/http/entity-tag.ts";

const tag = entityTag("abc");

it("writes a weak tag, because all content codings of a text share it", () => {
  expect(tag).toBe('W/"abc"');
});

it.each([
  ["the tag", 'W/"abc"', true],
  ["the tag as a strong one: they are compared weakly", '"abc"', true],
  ["anything", "*", true],
  ["anything, with blanks", " * ", true],
  ["the first of a list", 'W/"abc", "x"', true],
  ["the last of a list", '"x",W/"y" ,\tW/"abc"', true],
  ["a list with empty members", ',, "x",,W/"abc",', true],
  ["one after a tag with a comma in it", '"x,y", W/"abc"', true],
  ["another", 'W/"abd"', false],
  ["another case", 'W/"ABC"', false],
  ["a part", 'W/"ab"', false],
  ["more", 'W/"abcd"', false],
  ["it within another tag", '"x, W/abc"', false],
  ["it without quotes", "abc", false],
  ["it after what is no tag", 'x, W/"abc"', false],
  ["a small w", 'w/"abc"', false],
  ["an open quote", '"abc', false],
  ["a star in a tag", '"*"', false],
  ["nothing", "", false],
  ["no header", undefined, false],
])("If-None-Match of %s: %s", (_, header, matches) => {
  expect(isNotModified(header, tag)).toBe(matches);
});

it("finds a tag in any list that holds it, and in none that does not", () => {
  const opaque = fc.stringMatching(/^[!#-~]{0,6}$/);
  const list = fc.array(fc.record({ opaque, weak: fc.boolean() }), { maxLength: 6 });
  fc.assert(
    fc.property(list, opaque, fc.constantFrom(",", ", ", " ,\t", ",,"), (tags, own, comma) => {
      const header = tags.map((each) => `${each.weak ? "W/" : ""}"${each.opaque}"`).join(comma);
      expect(isNotModified(header, entityTag(own))).toBe(tags.some((each) => each.opaque === own));
    }),
  );
});
