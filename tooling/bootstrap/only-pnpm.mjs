// The root's `preinstall` script: lets pnpm through, and says in a sentence what to do where another package manager came. npm stops
// before it runs any script; what it says then is the name of the catalog of @types/node, see docs/decisions/0020.
const agent = process.env.npm_config_user_agent ?? "";
const [name] = agent.split("/");

if (name !== "" && name !== "pnpm") {
  // The only one that has written something by now.
  const undo =
    name === "bun" ? " To undo what bun wrote: git checkout package.json; rm -rf bun.lock node_modules" : "";
  console.error(
    `This workspace is installed by pnpm, and ${name} cannot do it: run npm start or npm test, which install what they need.${undo}`,
  );
  process.exitCode = 1;
}
