import { readFileSync } from "node:fs";
import { TRPCError } from "@trpc/server";
import { getHTTPStatusCodeFromError } from "@trpc/server/http";
import { UsageStatsError, type UsageStatsErrorCode } from "@usage-stats/core";
import { describe, expect, it } from "vitest";
import { publicError, REFUSALS, toTrpcError } from "../src/errors.ts";

const codes = Object.keys(REFUSALS) as UsageStatsErrorCode[];

describe("every code", () => {
  // A URL that is too long never reaches tRPC, which has no name for its status.
  it.each(codes.filter((code) => code !== "url_too_long"))(
    "%s has the status by tRPC that it has by HTTP",
    (code) => {
      const error = new UsageStatsError(code, "No.");
      expect(getHTTPStatusCodeFromError(toTrpcError(error))).toBe(publicError(error).status);
    },
  );

  it("is in the operator's table, at its status, and nothing else is", () => {
    const manual = readFileSync(new URL("../../../docs/operating.md", import.meta.url), "utf8");
    const rows = manual.matchAll(/^\| (\d{3}(?:, \d{3})*) \| (.+) \|$/gm);
    const listed = [...rows].flatMap(([, statuses, text]) =>
      [...text!.matchAll(/`([a-z_]+)`/g)].map(([, code]) => [code!, statuses!.split(", ")] as const),
    );
    expect(listed.map(([code]) => code).toSorted()).toEqual(codes.toSorted());
    for (const [code, statuses] of listed)
      expect([code, statuses]).toEqual([
        code,
        expect.arrayContaining([String(REFUSALS[code as UsageStatsErrorCode].status)]),
      ]);
  });
});

it("what nobody foresaw tells nothing of itself", () => {
  expect(publicError(new Error("the password is x"))).toEqual({
    code: "internal",
    status: 500,
    title: "Internal error",
    message: "Something went wrong on our side.",
  });
  expect(toTrpcError(new Error("the password is x"))).toMatchObject({
    code: "INTERNAL_SERVER_ERROR",
    message: "Something went wrong on our side.",
  });
  // Those of tRPC itself are about the request.
  const own = new TRPCError({ code: "NOT_FOUND", message: "No procedure" });
  expect(toTrpcError(own)).toBe(own);
});
