import { type CallType } from "@usage-stats/core";

/** A model of the demo; prices in hundred-millionths of a credit, so that any number of tokens costs a whole number of them. */
export type DemoModel = {
  providerId: string;
  model: string;
  type: CallType;
  /** Of all calls, in per mille. */
  share: number;
  /** For an input and an output token; for image and video, `unit` is the price of an image or a second. */
  price: { input: bigint; output: bigint } | { unit: bigint };
  /** Milliseconds to the first byte and then for each output token or unit, on a middling call. */
  pace: { first: number; each: number };
};

export const DEMO_MODELS: readonly DemoModel[] = [
  {
    providerId: "openai",
    model: "gpt-4o-mini",
    type: "chatCompletion",
    share: 270,
    price: { input: 15n, output: 60n },
    pace: { first: 380, each: 9 },
  },
  {
    providerId: "openai",
    model: "gpt-4o",
    type: "chatCompletion",
    share: 190,
    price: { input: 250n, output: 1_000n },
    pace: { first: 520, each: 14 },
  },
  {
    providerId: "anthropic",
    model: "claude-sonnet-4",
    type: "chatCompletion",
    share: 170,
    price: { input: 300n, output: 1_500n },
    pace: { first: 780, each: 16 },
  },
  {
    providerId: "google",
    model: "gemini-2.5-flash",
    type: "chatCompletion",
    share: 120,
    price: { input: 30n, output: 250n },
    pace: { first: 340, each: 6 },
  },
  {
    providerId: "deepseek",
    model: "deepseek-chat",
    type: "chatCompletion",
    share: 70,
    price: { input: 27n, output: 110n },
    pace: { first: 900, each: 28 },
  },
  {
    providerId: "openai",
    model: "text-embedding-3-small",
    type: "embedding",
    share: 125,
    price: { input: 2n, output: 0n },
    pace: { first: 90, each: 0 },
  },
  {
    providerId: "openai",
    model: "gpt-image-1",
    type: "imageGeneration",
    share: 18,
    price: { unit: 4_000_000n },
    pace: { first: 9_000, each: 4_000 },
  },
  {
    providerId: "openai",
    model: "whisper-1",
    type: "audioGeneration",
    share: 22,
    price: { input: 1_000n, output: 0n },
    pace: { first: 1_200, each: 4 },
  },
  {
    providerId: "google",
    model: "veo-3",
    type: "video",
    share: 5,
    price: { unit: 40_000_000n },
    pace: { first: 20_000, each: 7_000 },
  },
  {
    providerId: "google",
    model: "gemini-2.5-flash",
    type: "custom",
    share: 10,
    price: { input: 30n, output: 250n },
    pace: { first: 600, each: 6 },
  },
];
