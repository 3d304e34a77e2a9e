/** Lines that stay, and on a terminal one that changes. To stderr: stdout is for results. */
export type Progress = { say(text: string): void; show(text: string): void };

export function createProgress(stream: NodeJS.WriteStream): Progress {
  const clear = stream.isTTY ? "\r\u001B[2K" : "";
  return {
    say: (text) => stream.write(`${clear}${text}\n`),
    show: (text) => stream.isTTY && stream.write(`${clear}${text}`),
  };
}
