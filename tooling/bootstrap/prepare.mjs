import { areDependenciesInstalled, installDependencies } from "./dependencies.mjs";
import { fetchTool, isFetched } from "./fetch-tool.mjs";
import { withPreparationLock } from "./preparation-lock.mjs";
import { neededNode, neededPnpm, withPath } from "./toolchain.mjs";

/**
 * Brings Node, pnpm (only where it is needed) and the dependencies, and answers the environment to run the real command in.
 * Everything it says goes to stderr: stdout belongs to the command. Where all is there, nothing is written: the checkout may belong
 * to somebody else.
 */
export async function prepare(root, { pnpm }) {
  const env = { ...withoutNpm(process.env), TURBO_TELEMETRY_DISABLED: "1", DO_NOT_TRACK: "1" };
  const node = neededNode({ root });
  const withNode = withPath(env, binsOf([node]));
  const isInstalled = areDependenciesInstalled(root);
  const installer = pnpm || !isInstalled ? neededPnpm({ root, env: withNode }) : null;
  const tools = [node, installer].filter((tool) => tool !== null);
  const complete = withPath(withNode, binsOf([installer]));
  if (isInstalled && tools.every(isFetched)) return complete;
  return withPreparationLock(root, async () => {
    for (const tool of tools) if (!isFetched(tool)) await fetchTool(tool, withNode);
    // Another start may have installed them while this one waited.
    if (!areDependenciesInstalled(root)) await installDependencies({ root, env: complete });
    return complete;
  });
}

function binsOf(tools) {
  return tools.filter((tool) => tool !== null).map(({ bin }) => bin);
}

/** The environment without what `npm start` sets for its own script: a nested npm or pnpm would take it for itself. */
function withoutNpm(env) {
  const own = /^npm_(config_(local_prefix|prefix|noproxy)|package_|lifecycle_)/;
  return Object.fromEntries(Object.entries(env).filter(([name]) => !own.test(name)));
}
