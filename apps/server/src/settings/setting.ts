import * as z from "zod";

/** One setting: an environment variable. Its default is its schema's. */
export type Setting = {
  /** Reads the text of the variable, and says in its messages what it must be. */
  schema: z.ZodType;
  /** What it is, in one sentence without markup: for `serve --help`, `.env.example` and docs/operating.md. */
  about: string;
  /** What docs/operating.md alone adds, in Markdown. */
  more?: string;
};

/** A whole number as text. */
export const whole = ({ min, max }: { min: number; max: number }) =>
  z.coerce
    .number({ error: "must be a number" })
    .int("must be a whole number")
    .min(min, `must be at least ${min}`)
    .max(max, `must be at most ${max}`);

/** What is separated by commas. */
export const list = () => z.string().transform((text) => text.split(",").map((item) => item.trim()));

export const onOrOff = z.enum(["on", "off"]);
