import { expect, it } from "vitest";
import { commandLine } from "./command-line.ts";
import { callLine } from "./ingest/import/inputs.ts";

it.each([
  [["imprt"], /^error: unknown command 'imprt'\n\(Did you mean import\?\)\nSee usage-stats --help\.\n$/],
  [["serve", "--prot"], /^error: unknown option '--prot'\nSee usage-stats serve --help\.\n$/],
  [["keys", "rotate"], /^error: missing required argument 'id'\nSee usage-stats keys rotate --help\.\n$/],
  [
    ["keys", "rotate", "id", "--grace", "soon"],
    /^error: option '--grace <seconds>' argument 'soon' is invalid\. It must be a whole number\.\nSee /,
  ],
])("%j is told what is wrong and where the help is, in lines that stay in sight", async (args, message) => {
  const { run } = await commandLine();
  expect(await run(args)).toEqual({ code: 1, out: "", err: expect.stringMatching(message) });
});

it("says which version it is", async () => {
  const { run } = await commandLine();
  expect((await run(["--version"])).out).toMatch(/^\d+\.\d+\.\d+ \(Node \d+\.\d+\.\d+\)\n$/);
});

it("lists keys under the names of what it tells, and says that there are none", async () => {
  const { run } = await commandLine();
  expect((await run(["keys", "list"])).out).toMatch(/^no keys; make one with: /);
  await run(["keys", "create", "--name", "gateway", "--scope", "calls:write"]);
  const lines = (await run(["keys", "list"])).out.split("\n");
  expect(lines[0]).toMatch(/^ID +STATE +SCOPES +USER +LAST USED +NAME/);
  expect(lines[1]!.indexOf("gateway")).toBe(lines[0]!.indexOf("NAME"));
  expect(lines[1]!.indexOf("calls:write")).toBe(lines[0]!.indexOf("SCOPES"));
}, 60_000);

it("takes one end of a range, dates in UTC, and counts one user in the singular", async () => {
  const { run } = await commandLine();
  await run(["import", "-", "--quiet"], { stdin: callLine(1, { callTime: "2026-01-01T00:00:00Z" }) });
  const plan = async (...args: string[]) => (await run(["rebuild", "--dry-run", ...args])).out;
  expect(await plan("--from", "2026-01-01")).toMatch(/of 1 quarter of an hour of 1 user\n$/);
  expect(await plan("--from", "2026-01-01T00:00:01+00:00")).toMatch(/of 0 quarters of an hour of 0 users\n$/);
  expect(await plan("--to", "2026-01-01")).toMatch(/of 0 users\n$/);
  expect(await plan("--to", "2026-01-01T00:00:01Z")).toMatch(/of 1 user\n$/);
  expect(await run(["rebuild", "--user", "did:abt:z1nobody"])).toMatchObject({
    code: 1,
    err: expect.stringMatching(/^usage-stats: There is nothing of user did:abt:z1nobody: .*\n$/),
  });
  expect(await run(["rebuild", "--from", "yesterday"])).toEqual({
    code: 1,
    out: "",
    err: expect.stringMatching(/^usage-stats: --from must be a date or an instant .* Got yesterday\.\n$/),
  });
}, 90_000);

it("verify says how much it compared, how far it is, and that there is nobody of a misspelt name", async () => {
  const { run } = await commandLine();
  expect(await run(["verify"])).toEqual({
    code: 0,
    out: "0 differences; compared 0 rollup rows of 0 users; 0 quarters of an hour wait to be rolled up and are read from calls\n",
    err: "",
  });
  const call = callLine(1, { userDid: "did:abt:z1alice", callTime: "2026-01-01T00:00:00Z" });
  await run(["import", "-", "--quiet"], { stdin: call });
  expect((await run(["verify"])).out).toMatch(
    /of 1 user; 1 quarter of an hour waits to be rolled up and is /,
  );
  await run(["rollup"]);
  const { code, out, err } = await run(["verify", "--from", "2026-01-01"]);
  expect(code).toBe(0);
  expect(out).toMatch(/^0 differences; compared [1-9]\d* rollup rows of 1 user; 0 quarters /);
  expect(err).toMatch(/^comparing .* 100% \| \d+ of \d+ steps/m);
  expect(await run(["verify", "--user", "did:abt:z1alcie"])).toEqual({
    code: 1,
    out: expect.stringContaining("compared 0 rollup rows of 0 users"),
    err: "There is nothing of user did:abt:z1alcie: no call, no rollup. Is the name right?\n",
  });
}, 90_000);
