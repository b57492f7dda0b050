/** The lab's node, in a process of its own at the public address. Is told over IPC what to be; runs until it is killed. */
import { createNodeLog, type NodeOptions, startNode } from "@earshot/node";

process.once("message", (options: NodeOptions) => {
  startNode({ ...options, runFile: false, log: createNodeLog("warn", process.stderr) }).then(
    ({ url }) => process.send?.({ url }),
    (error: unknown) => process.send?.({ failure: String(error) }),
  );
});
process.on("disconnect", () => process.exit());
