import { spawnSync } from "node:child_process";

/**
 * Looks for known vulnerabilities in what the server runs on. Good where there are none of high severity, and where the
 * registry does not offer to look, which is said.
 */
export function auditDependencies({ root, env }) {
  const args = ["audit", "--prod", "--audit-level", "high"];
  const { status, stdout, stderr, error } = spawnSync("pnpm", args, { cwd: root, env, encoding: "utf8" });
  const told = `${stdout ?? ""}${stderr ?? ""}`;
  // A registry without an audit, or none that can be reached, is no vulnerability.
  if (
    /ERR_PNPM_AUDIT_BAD_RESPONSE|ERR_PNPM_AUDIT_ENDPOINT_NOT_EXISTS|ENOTFOUND|ECONNREFUSED|ETIMEDOUT/.test(
      told,
    )
  ) {
    console.log("The registry does not offer an audit: nothing was looked for.");
    return true;
  }
  console.log(error === undefined ? told : String(error));
  return status === 0;
}
