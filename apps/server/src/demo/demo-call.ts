import { type ModelCall, NOTHING_KNOWN } from "@usage-stats/core";
import { DEMO_MODELS, type DemoModel } from "./demo-models.ts";
import { type DemoRandom } from "./demo-random.ts";
import { type DemoUser } from "./demo-users.ts";

const FAILED = 0.015;
const FAILURES = [
  "upstream timeout",
  "rate limit reached",
  "context length exceeded",
  "content filtered",
  "upstream error 502",
];

type Consumption = Pick<ModelCall, "inputTokens" | "outputTokens" | "cachedInputTokens" | "totalUsage">;

/** A plausible call of a user; `processing` where it has only just begun. */
export function demoCall(
  number: number,
  user: DemoUser,
  callTime: Date,
  processing: boolean,
  random: DemoRandom,
): ModelCall {
  const model = DEMO_MODELS[random.pick(user.modelSums)]!;
  const failed = random.unit() < FAILED;
  const consumption = consume(model, random);
  const call: ModelCall = {
    ...NOTHING_KNOWN,
    id: `demo-${String(number).padStart(7, "0")}`,
    userDid: user.userDid,
    appDid: user.apps[random.pick(user.appSums)]!,
    providerId: model.providerId,
    model: model.model,
    type: model.type,
    status: "success",
    callTime,
    ...consumption,
    credits: creditsOf(model, consumption),
    ...latency(model, consumption, random),
    requestId: `demo-request-${number.toString(36)}`,
  };
  if (processing)
    return {
      ...call,
      status: "processing",
      outputTokens: null,
      totalUsage: null,
      credits: null,
      durationMs: null,
      ttfbMs: null,
    };
  return failed ? failedCall(call, random) : call;
}

function failedCall(call: ModelCall, random: DemoRandom): ModelCall {
  const errorReason = FAILURES[random.integer(0, FAILURES.length - 1)]!;
  const outputTokens = call.outputTokens === null ? null : 0;
  const durationMs = errorReason === "upstream timeout" ? 60_000 : random.around(400, 0.6, 60_000);
  return {
    ...call,
    status: "failed",
    outputTokens,
    totalUsage: call.inputTokens ?? 0,
    credits: "0",
    durationMs,
    ttfbMs: null,
    errorReason,
  };
}

function consume({ type }: DemoModel, random: DemoRandom): Consumption {
  switch (type) {
    case "imageGeneration":
      return unitsOnly(random.integer(1, 4));
    case "video":
      return unitsOnly(random.integer(4, 8));
    case "embedding":
      return tokens(random.around(600, 0.9, 8_000), 0, null);
    case "audioGeneration":
      return tokens(random.around(900, 0.9, 30_000), random.around(250, 0.9, 8_000), null);
    case "chatCompletion":
    case "custom": {
      const input = random.around(type === "custom" ? 2_500 : 650, 1.1, 100_000);
      const cached = random.unit() < 0.25 ? Math.floor(input * random.unit()) : 0;
      return tokens(input, random.around(190, 0.9, 8_000), cached);
    }
  }
}

function unitsOnly(totalUsage: number): Consumption {
  return { inputTokens: null, outputTokens: null, cachedInputTokens: null, totalUsage };
}

function tokens(inputTokens: number, outputTokens: number, cachedInputTokens: number | null): Consumption {
  return { inputTokens, outputTokens, cachedInputTokens, totalUsage: inputTokens + outputTokens };
}

function creditsOf({ price }: DemoModel, { inputTokens, outputTokens, totalUsage }: Consumption): string {
  if ("unit" in price) return decimal(BigInt(totalUsage ?? 0) * price.unit);
  return decimal(BigInt(inputTokens ?? 0) * price.input + BigInt(outputTokens ?? 0) * price.output);
}

/** Hundred-millionths as a decimal with 8 places. */
function decimal(hundredMillionths: bigint): string {
  const digits = hundredMillionths.toString().padStart(9, "0");
  return `${digits.slice(0, -8)}.${digits.slice(-8)}`;
}

function latency(
  { price, pace }: DemoModel,
  { outputTokens, totalUsage }: Consumption,
  random: DemoRandom,
): Pick<ModelCall, "durationMs" | "ttfbMs"> {
  const ttfbMs = random.around(pace.first, 0.4, 60_000);
  const produced = "unit" in price ? (totalUsage ?? 0) : (outputTokens ?? 0);
  return { ttfbMs, durationMs: ttfbMs + Math.round(produced * pace.each * random.factor(0.2)) };
}
