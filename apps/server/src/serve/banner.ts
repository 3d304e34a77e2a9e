import { DEMO_USER } from "../demo/demo-calls.ts";
import { signSessionToken } from "@usage-stats/identity";

const DAY_SECONDS = 86_400;

/** What is printed once the server is ready: its address, a query to paste, and how to stop. */
export async function banner(server: {
  url: string;
  authSecret: string | null;
  /** Whether to print a token: never where the secret that signs it is the operator's own. */
  offersToken: boolean;
  now: Date;
}): Promise<string> {
  const lines = [`usage-stats is ready at ${server.url}`, ""];
  if (server.offersToken && server.authSecret !== null) {
    const token = await signSessionToken(
      server.authSecret,
      { userDid: DEMO_USER, role: "user" },
      "12h",
      server.now,
    );
    const end = Math.floor(server.now.getTime() / 1000);
    const query = `startTime=${end - 30 * DAY_SECONDS}&endTime=${end}`;
    lines.push("Thirty days of one user (the token is good for 12 hours):", "");
    lines.push(
      `curl -s -H 'Authorization: Bearer ${token}' '${server.url}/app/api/user/usage-stats?${query}'`,
      "",
    );
  } else if (server.authSecret !== null) {
    lines.push("Make a token with: npm run -s usage-stats -- token --user <did>", "");
  }
  lines.push(`Stop with Ctrl-C, or: kill ${process.pid}`);
  return lines.join("\n");
}
