/** For tests: a daemon in a process of its own, so that it can be killed for real. Run by `spawnDaemon`. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import type { Reachable } from "./test-client.ts";
import { testProgram } from "./test-program.ts";

export interface DaemonProcess extends Reachable {
  readonly process: ChildProcess;
  readonly port: number;
  readonly url: string;
  /** Ends it at once, without any chance to clean up. */
  kill9(): Promise<void>;
}

/** Starts a daemon on `home`; `limits` as JSON over the test limits. */
export async function spawnDaemon(options: { home: string; port?: number; limits?: object }): Promise<DaemonProcess> {
  const child = spawn(process.execPath, [...testProgram("daemon-main"), JSON.stringify(options)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const started = JSON.parse(line.toString()) as { edgeUrl: string; token: string; port: number; url: string };
  return {
    ...started,
    process: child,
    async kill9() {
      const exited = once(child, "exit");
      child.kill("SIGKILL");
      await exited;
    },
  };
}
