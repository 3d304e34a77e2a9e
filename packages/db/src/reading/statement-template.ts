import { type Sql } from "sql-template-tag";
import { type Statement } from "../connection/session.ts";

/** A place in a statement's text for a value that is known only when it runs. */
export class Place<Asked> {
  readonly valueOf: (asked: Asked) => unknown;

  constructor(valueOf: (asked: Asked) => unknown) {
    this.valueOf = valueOf;
  }
}

/** Gives a statement for what is asked. */
export type StatementTemplate<Asked> = (asked: Asked) => Statement;

/** Writes the text of a statement. What a place asks for is sent once, wherever it stands. */
export function templateOf<Asked>(statement: Sql): StatementTemplate<Asked> {
  const values: unknown[] = [];
  const numberOf = (value: unknown) => {
    const known = value instanceof Place ? values.indexOf(value) : -1;
    return known === -1 ? values.push(value) : known + 1;
  };
  const text = statement.strings.reduce(
    (before, next, i) => `${before}$${numberOf(statement.values[i - 1])}${next}`,
  );
  return (asked) => ({
    text,
    values: values.map((value) => (value instanceof Place ? (value as Place<Asked>).valueOf(asked) : value)),
  });
}

// Their texts are some kilobytes each. Nobody asks in so many shapes; who does, has texts written anew.
const MOST_SHAPES = 200;

/** Writes a text once for each shape that a question can have: its options, without any values. */
export function templateByShape<Shape, Asked>(
  write: (shape: Shape) => Sql,
): (shape: Shape) => StatementTemplate<Asked> {
  const known = new Map<string, StatementTemplate<Asked>>();
  return (shape) => {
    const key = JSON.stringify(shape);
    const found = known.get(key);
    if (found !== undefined) return found;
    if (known.size === MOST_SHAPES) known.clear();
    const made = templateOf<Asked>(write(shape));
    known.set(key, made);
    return made;
  };
}
