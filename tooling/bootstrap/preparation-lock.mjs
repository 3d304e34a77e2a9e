import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expectedError } from "./child.mjs";
import { asExpected } from "./system-error.mjs";

const PATIENCE_MS = 15 * 60_000;

/** Runs `work` while no other bootstrap of this checkout does: two package managers in one folder spoil each other's work. */
export async function withPreparationLock(root, work) {
  const lock = join(root, ".toolchain", "lock");
  try {
    mkdirSync(join(root, ".toolchain"), { recursive: true });
    await acquire(lock);
  } catch (error) {
    const advice =
      "Something is still to be installed in it. Do that once as the user that owns it: npm run -s usage-stats -- --version";
    throw asExpected(error, { path: root, advice });
  }
  const release = () => rmSync(lock, { force: true });
  process.once("exit", release);
  try {
    return await work();
  } finally {
    process.off("exit", release);
    release();
  }
}

async function acquire(lock) {
  const deadline = Date.now() + PATIENCE_MS;
  const mine = `${lock}.${process.pid}`;
  for (let isTold = false; ;) {
    // A link appears with its content: nobody ever reads a lock that is still empty.
    writeFileSync(mine, String(process.pid));
    try {
      linkSync(mine, lock);
      return;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    } finally {
      rmSync(mine, { force: true });
    }
    const holder = readHolder(lock);
    if (holder !== null && !isAlive(holder)) breakLock(lock, holder);
    else if (Date.now() > deadline)
      throw expectedError(`Process ${holder} still prepares this checkout. If it does not, remove ${lock}`);
    else {
      if (!isTold) console.error(`WaitLimits for process ${holder}, which prepares this checkout ...`);
      isTold = true;
      await sleep(200);
    }
  }
}

/** Takes a dead process's lock away; one that a third process has meanwhile taken is put back. */
function breakLock(lock, dead) {
  const taken = `${lock}.broken.${process.pid}`;
  try {
    renameSync(lock, taken);
    if (readHolder(taken) !== dead) linkSync(taken, lock);
  } catch (error) {
    if (error.code !== "ENOENT" && error.code !== "EEXIST") throw error;
  } finally {
    rmSync(taken, { force: true });
  }
}

function readHolder(file) {
  try {
    return Number(readFileSync(file, "utf8"));
  } catch (error) {
    if (error.code === "ENOENT") return null;
    throw error;
  }
}

function isAlive(pid) {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error.code === "EPERM";
  }
}
