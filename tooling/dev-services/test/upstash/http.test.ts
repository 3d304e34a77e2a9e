import { describe, expect, it } from "vitest";
import { ask, post } from "./support/ask.ts";
import { READ } from "./support/scripts.ts";
import { describeRedisRunner, describeRunners } from "./support/runners.ts";

const UNAUTHORIZED = { status: 401, body: { error: "WRONGPASS invalid or missing auth token" } };

describeRunners((bridged) => {
  const refused = (error: string | RegExp) => ({
    status: 400,
    body: { error: typeof error === "string" ? error : expect.stringMatching(error) },
  });

  describe("the token", () => {
    it.each(["", "Bearer", "Bearer ", "Bearer wrong", "Basic dXNlcjpwYXNz"])(
      "is not %j",
      async (authorization) => {
        expect(await ask(bridged(), "/get/k", { headers: { authorization } })).toEqual(UNAUTHORIZED);
      },
    );

    it("is not the right one with more behind it", async () => {
      const authorization = `Bearer ${bridged().token}x`;
      expect(await ask(bridged(), "/get/k", { headers: { authorization } })).toEqual(UNAUTHORIZED);
    });

    it("may come in the query instead", async () => {
      const headers = { authorization: "" };
      const { token } = bridged();
      expect(await ask(bridged(), `/get/k?_token=${token}`, { headers })).toEqual({
        status: 200,
        body: { result: null },
      });
      expect(await ask(bridged(), "/get/k?_token=wrong", { headers })).toEqual(UNAUTHORIZED);
    });

    it("is asked for before anything is done", async () => {
      const headers = { authorization: "Bearer wrong" };
      const init = { method: "POST", headers, body: '["SET","k","v"]' };
      expect(await ask(bridged(), "/", init)).toEqual(UNAUTHORIZED);
      expect(await ask(bridged(), "/get/k")).toEqual({ status: 200, body: { result: null } });
    });
  });

  describe("base64", () => {
    it("is for every string but the status OK", async () => {
      const headers = { "upstash-encoding": "base64" };
      const body = JSON.stringify([
        ["SET", "k", "OK"],
        ["GET", "k"],
        ["EVAL", READ, 2, "k", "no"],
        ["GET", "no"],
      ]);
      expect(await ask(bridged(), "/pipeline", { method: "POST", headers, body })).toEqual({
        status: 200,
        body: [{ result: "OK" }, { result: "T0s=" }, { result: ["T0s=", null] }, { result: null }],
      });
    });
  });

  describe("a body", () => {
    it.each(["", "{", "nonsense", '["GET","k"'])("that is not JSON is refused: %j", async (body) => {
      for (const path of ["/", "/pipeline", "/multi-exec"]) {
        expect(await ask(bridged(), path, { method: "POST", body })).toEqual(
          refused("ERR the body is not JSON"),
        );
      }
    });

    it.each([[[]], [[""]], [{}], ["GET"], [null], [7]])("that is no command is refused: %j", async (body) => {
      expect(await post(bridged(), "/", body)).toEqual(refused(/^ERR a command is an array/));
    });

    it.each([[["GET", {}]], [["GET", ["k"]]], [["GET", null]], [[["GET", "k"]]]])(
      "with words that are no words is refused: %j",
      async (body) => {
        expect(await post(bridged(), "/", body)).toEqual(refused(/^ERR a command's words/));
      },
    );

    it.each(["/pipeline", "/multi-exec"])("of %s that holds no commands is refused", async (path) => {
      for (const body of [[], {}, "GET"]) {
        expect(await post(bridged(), path, body)).toEqual(
          refused("ERR the body must be an array of commands"),
        );
      }
      for (const body of [
        ["GET", "k"],
        [[]],
        [
          ["SET", "k", "v"],
          ["GET", {}],
        ],
      ]) {
        expect(await post(bridged(), path, body)).toEqual(refused(/^ERR a command/));
      }
      expect(await ask(bridged(), "/get/k")).toEqual({ status: 200, body: { result: null } });
    });

    it("of more than 10 MB is refused, one of less is stored", async () => {
      const value = "x".repeat(10 * 1024 * 1024);
      expect(await post(bridged(), "/", ["SET", "k", value])).toEqual({
        status: 413,
        body: { error: "ERR max request size exceeded" },
      });
      expect(await post(bridged(), "/", ["SET", "k", value.slice(100)])).toEqual({
        status: 200,
        body: { result: "OK" },
      });
      const { body } = await ask(bridged(), "/get/k");
      expect((body as { result: string }).result).toHaveLength(value.length - 100);
    });

    it("of more than 10 MB is refused too when it does not say its length", async () => {
      const chunk = new TextEncoder().encode("x".repeat(1024 * 1024));
      let sent = 0;
      const body = new ReadableStream({
        pull: (controller) => (sent++ < 12 ? controller.enqueue(chunk) : controller.close()),
      });
      const init = { method: "POST", body, duplex: "half" } as RequestInit;
      expect(await ask(bridged(), "/set/k", init)).toEqual({
        status: 413,
        body: { error: "ERR max request size exceeded" },
      });
    });
  });

  describe("a command", () => {
    it("unknown to Redis is refused in Redis's words", async () => {
      const error = "ERR unknown command 'NoSuch', with args beginning with: 'a' '1' ";
      expect(await post(bridged(), "/", ["NoSuch", "a", 1])).toEqual(refused(error));
      expect(
        await post(bridged(), "/pipeline", [
          ["NoSuch", "a", 1],
          ["GET", "k"],
        ]),
      ).toEqual({
        status: 200,
        body: [{ error }, { result: null }],
      });
    });

    it("with too few words is refused in Redis's words", async () => {
      const error = "ERR wrong number of arguments for 'get' command";
      expect(await post(bridged(), "/", ["GET"])).toEqual(refused(error));
      expect(await ask(bridged(), "/get")).toEqual(refused(error));
    });

    it("that cannot be queued discards its whole transaction", async () => {
      for (const wrong of [["NOSUCH"], ["GET"]]) {
        const answer = await post(bridged(), "/multi-exec", [["SET", "k", "v"], wrong, ["SET", "k", "w"]]);
        expect(answer).toEqual(
          refused(/^ERR (unknown command 'NOSUCH'|wrong number of arguments for 'get')/),
        );
      }
      expect(await ask(bridged(), "/get/k")).toEqual({ status: 200, body: { result: null } });
      expect(await post(bridged(), "/multi-exec", [["SET", "k", "v"]])).toEqual({
        status: 200,
        body: [{ result: "OK" }],
      });
    });

    it("that would change the connection all requests share is refused", async () => {
      for (const name of ["MULTI", "SUBSCRIBE", "select"]) {
        expect((await post(bridged(), "/", [name, "0"])).status).toBe(400);
        expect(
          (
            await post(bridged(), "/multi-exec", [
              ["SET", "k", "v"],
              [name, "0"],
            ])
          ).status,
        ).toBe(400);
      }
      expect(await ask(bridged(), "/set/k/v")).toEqual({ status: 200, body: { result: "OK" } });
    });
  });

  describe("a path", () => {
    it("is a command, word by word", async () => {
      expect(await ask(bridged(), "/set/key/value/PX/60000")).toEqual({
        status: 200,
        body: { result: "OK" },
      });
      expect(await ask(bridged(), "/get/key")).toEqual({ status: 200, body: { result: "value" } });
    });

    it("is URL-decoded", async () => {
      const [key, value] = ["a/b ?&%", "ö🎉"];
      await ask(bridged(), `/set/${encodeURIComponent(key)}/${encodeURIComponent(value)}`);
      expect(await post(bridged(), "/", ["GET", key])).toEqual({ status: 200, body: { result: value } });
      expect(await ask(bridged(), "/get/%FF")).toEqual(refused("ERR the path is not URL-encoded UTF-8"));
    });

    it("takes a posted body as the last word, and what follows it from the query", async () => {
      const json = '{"posted": [1, "ü"]}';
      const path = `/set/key?PX=60000&NX=&_token=${bridged().token}`;
      const init = { method: "POST", headers: { authorization: "" }, body: json };
      expect(await ask(bridged(), path, init)).toEqual({ status: 200, body: { result: "OK" } });
      expect(await ask(bridged(), "/get/key")).toEqual({ status: 200, body: { result: json } });
      expect(await ask(bridged(), path, { method: "PUT", body: "again" })).toMatchObject({
        body: { result: null },
      });
      expect(await ask(bridged(), "/get/key", { method: "POST" })).toMatchObject({ body: { result: json } });
    });

    it("that names no command is refused", async () => {
      expect(await ask(bridged(), "/")).toEqual(refused(/^ERR a command is an array/));
      expect(await ask(bridged(), "/nosuch/x")).toEqual(
        refused("ERR unknown command 'nosuch', with args beginning with: 'x' "),
      );
    });

    it("is not asked by other methods", async () => {
      expect(await ask(bridged(), "/get/k", { method: "DELETE" })).toEqual({
        status: 405,
        body: { error: "ERR method DELETE is not allowed" },
      });
    });
  });
});

describeRedisRunner((bridged) => {
  it("encodes every string but the status OK in base64, and no number", async () => {
    const headers = { "upstash-encoding": "base64" };
    const body = '[["SET","k","OK"],["GET","k"],["MGET","k","no"],["PING"],["INCR","n"],["GET","no"]]';
    expect(await ask(bridged(), "/pipeline", { method: "POST", headers, body })).toEqual({
      status: 200,
      body: [
        { result: "OK" },
        { result: "T0s=" },
        { result: ["T0s=", null] },
        { result: "UE9ORw==" },
        { result: 1 },
        { result: null },
      ],
    });
  });

  it("sets for as long as a path says, or a query behind a posted value", async () => {
    expect(await ask(bridged(), "/set/key/value/EX/60")).toEqual({ status: 200, body: { result: "OK" } });
    expect(await ask(bridged(), "/ttl/key")).toEqual({ status: 200, body: { result: 60 } });
    const posted = { method: "POST", body: "value" };
    expect(await ask(bridged(), "/set/other?EX=60&NX=", posted)).toMatchObject({ body: { result: "OK" } });
    expect(await ask(bridged(), "/ttl/other")).toEqual({ status: 200, body: { result: 60 } });
    expect(await ask(bridged(), "/mget/key/other/absent")).toEqual({
      status: 200,
      body: { result: ["value", "value", null] },
    });
  });
});
