/**
 * Gives the entity tag of a text by its digest. It is weak, because all content codings of the text share it (RFC 9110, 8.8.1):
 * whoever kept one of them is told that it still holds, whichever they would be sent now.
 */
export function entityTag(digest: string): string {
  return `W/"${digest}"`;
}

/** An opaque tag, or a comma and blanks; anything else ends the list (RFC 9110, 8.8.3). */
const LISTED = /[\t ,]*(?:W\/)?"([\x21\x23-\x7e\x80-\uffff]*)"/y;

/** Whether `If-None-Match` names the text of an entity tag, so that it need not be sent again (RFC 9110, 13.1.2): by weak comparison. */
export function isNotModified(ifNoneMatch: string | undefined, tag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  if (ifNoneMatch === tag || ifNoneMatch.trim() === "*") return true;
  const opaque = tag.slice('W/"'.length, -1);
  LISTED.lastIndex = 0;
  for (let found = LISTED.exec(ifNoneMatch); found !== null; found = LISTED.exec(ifNoneMatch))
    if (found[1] === opaque) return true;
  return false;
}
