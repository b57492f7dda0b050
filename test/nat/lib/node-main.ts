/** A node of the lab's, in a process of its own at a public address. Is told over IPC what to be; runs until it is killed. */
import { createNodeLog, type NodeOptions, startNode } from "@earshot/node";

/** Strangers that one in a network serves. */
const CLIENTS = 100;

async function start(options: NodeOptions): Promise<{ url: string }> {
  const node = await startNode({ ...options, runFile: false, log: createNodeLog("warn", process.stderr) });
  await node.network?.setServing(CLIENTS);
  return { url: node.url };
}

process.once("message", (options: NodeOptions) => {
  start(options).then(
    (started) => process.send?.(started),
    (error: unknown) => process.send?.({ failure: String(error) }),
  );
});
process.on("disconnect", () => process.exit());
