/** `npm start` runs the node in a process group of its own: what kills the wrapper alone must not leave it behind. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { Cli, type CliEvent } from "./cli-process.ts";

const cli = new Cli();
afterAll(() => cli.cleanUp());
const START = fileURLToPath(new URL("../../tools/start.mjs", import.meta.url));

test("when npm start is killed, its node stops", async () => {
  const args = [START, "--port", "0", "--no-echo", "--home", cli.path("home"), "--json"];
  const env = { ...process.env, HOME: cli.folder, XDG_RUNTIME_DIR: cli.folder };
  const wrapper = spawn(process.execPath, args, { env, stdio: ["ignore", "pipe", "ignore"] });
  let out = "";
  const started = (): CliEvent | undefined => {
    const line = out.split("\n").find((text) => text.startsWith('{"event":"started"'));
    return line === undefined ? undefined : (JSON.parse(line) as CliEvent);
  };
  wrapper.stdout.setEncoding("utf8");
  while (started() === undefined) out += String((await once(wrapper.stdout, "data"))[0]);
  const pid = Number(started()?.["pid"]);
  wrapper.kill("SIGKILL");
  try {
    await expect.poll(() => isAlive(pid), { timeout: 10_000 }).toBe(false);
  } finally {
    if (isAlive(pid)) process.kill(pid, "SIGKILL");
  }
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
