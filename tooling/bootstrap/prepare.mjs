import { areDependenciesInstalled, installDependencies } from "./dependencies.mjs";
import { withPreparationLock } from "./preparation-lock.mjs";
import { ensureNode, ensurePnpm, withPath } from "./toolchain.mjs";

/**
 * Brings Node, pnpm (only where it is needed) and the dependencies, and answers the environment to run the real command in.
 * Everything it says goes to stderr: stdout belongs to the command.
 */
export async function prepare(root, { pnpm }) {
  const env = { ...withoutNpm(process.env), TURBO_TELEMETRY_DISABLED: "1", DO_NOT_TRACK: "1" };
  return withPreparationLock(root, async () => {
    const node = await ensureNode({ root, env });
    const withNode = withPath(env, [node]);
    const isInstalled = areDependenciesInstalled(root);
    if (isInstalled && !pnpm) return withNode;
    const complete = withPath(withNode, [await ensurePnpm({ root, env: withNode })]);
    if (!isInstalled) await installDependencies({ root, env: complete });
    return complete;
  });
}

/** The environment without what `npm start` sets for its own script: a nested npm or pnpm would take it for itself. */
function withoutNpm(env) {
  const own = /^npm_(config_(local_prefix|prefix|noproxy)|package_|lifecycle_)/;
  return Object.fromEntries(Object.entries(env).filter(([name]) => !own.test(name)));
}
