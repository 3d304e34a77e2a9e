import { spawn } from "node:child_process";

const FORWARDED = ["SIGINT", "SIGTERM", "SIGHUP"];
// npm forwards the Ctrl-C the terminal has sent us already; a person's second one comes later than this.
const ONE_PRESS_MS = 1_000;
const PARENT_CHECK_MS = 500;

/** Preparation was ended by a signal: the program should end by it too. */
export class Interrupted extends Error {
  constructor(outcome) {
    super("interrupted");
    this.outcome = outcome;
  }
}

/** A failure that needs no stack trace: its message says what to do. */
export function expectedError(message) {
  return Object.assign(new Error(message), { expected: true });
}

/**
 * Runs a program to its end and passes it each SIGINT, SIGTERM and SIGHUP once. It gets a process group of its own, else a Ctrl-C
 * would reach it from the terminal and again from us; and we wait for it, else the shell's prompt would come back over its last words.
 * An interactive one stays in the terminal's group, because no other may read keys, and gets its Ctrl-C from the terminal alone.
 * @returns {Promise<{ code: number | null, signal: NodeJS.Signals | null, received: NodeJS.Signals | null }>}
 */
export function runChild(file, args, { cwd, env, stdio = "inherit", isInteractive = false }) {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      cwd,
      env,
      stdio,
      detached: !isInteractive && process.platform !== "win32",
    });
    let received = null;
    const lastTime = {};
    const forward = (signal) => {
      const now = Date.now();
      if (now - (lastTime[signal] ?? 0) < ONE_PRESS_MS) return;
      lastTime[signal] = now;
      received = signal;
      if (!isInteractive || signal !== "SIGINT") child.kill(signal);
    };
    for (const name of FORWARDED) process.on(name, forward);
    const watch = process.env.npm_lifecycle_event ? onParentDeath(() => forward("SIGTERM")) : undefined;
    const settle = (end, value) => {
      clearInterval(watch);
      for (const name of FORWARDED) process.off(name, forward);
      end(value);
    };
    child.once("error", (error) => settle(reject, error));
    child.once("exit", (code, signal) => settle(resolve, { code, signal, received }));
  });
}

/** A SIGTERM to npm may end only the shell between npm and us: nobody would be left to stop the child. */
function onParentDeath(act) {
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    act();
  }, PARENT_CHECK_MS);
  return watch;
}

/** Ends this process as the child ended: by the same signal, or with the same code. */
export function endLike({ code, signal }) {
  if (signal) process.kill(process.pid, signal);
  else process.exitCode = code ?? 1;
}
