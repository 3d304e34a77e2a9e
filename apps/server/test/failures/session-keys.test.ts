import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { type AddressInfo } from "node:net";
import { publicKeys } from "@usage-stats/identity";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeFailure } from "../../src/failures/describe-failure.ts";

let server: Server;
let base: string;

beforeAll(async () => {
  server = createServer(({ url }, response) => {
    if (url === "/moved") response.writeHead(302, { location: "/" }).end();
    else if (url === "/large") response.end(" ".repeat(1_100_000));
    else if (url === "/slow") response.write('{"keys":[');
    else response.end('{"keys":[1]}');
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, "close");
});

it.each([
  ["moved", "The address of the keys answers with status 302."],
  ["large", "The keys are larger than a megabyte."],
  ["slow", "TimeoutError"],
  ["no keys", "JWKSInvalid ERR_JWKS_INVALID"],
])("operators are told why keys of sessions cannot be fetched: %s", async (path, told) => {
  const failures: unknown[] = [];
  const times = { refetchMs: 300, pauseMs: 100, timeoutMs: 200 };
  const keys = publicKeys(new URL(path, base), (error) => failures.push(error), times);
  const token = { payload: "", signature: "" };
  await expect(keys.keyOf({ alg: "ES256", kid: "one" }, token)).rejects.toMatchObject({
    code: "unavailable",
  });
  expect(failures.map(describeFailure)).toEqual([told]);
});
