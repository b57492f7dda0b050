/** A node in a process of its own, for the lab's home. */
import type { NodeReport } from "@earshot/core";
import { createNodeLog, type RunningNode, startNode } from "@earshot/node";
import type { HomeAnswer, HomeCommand } from "./home-protocol.ts";

let node: RunningNode | undefined;

async function obey(command: HomeCommand): Promise<HomeAnswer> {
  if (command.type === "start") {
    node = await startNode({ ...command.options, runFile: false, log: createNodeLog("warn", process.stderr) });
    return { dhtPort: node.network?.backbone.port ?? 0 };
  }
  if (node === undefined) return { failure: "it was not started" };
  switch (command.type) {
    case "report": {
      const headers = { authorization: `Bearer ${node.token}` };
      const response = await fetch(`${new URL(node.url).origin}/api/node`, { headers });
      return { report: (await response.json()) as NodeReport };
    }
    case "lend-relay":
      await node.relay.setConsent(true);
      return {};
    case "pass":
      return { pass: node.relay.pass(new Uint8Array(16)) };
    case "stop":
      await node.stop();
      return {};
  }
}

process.on("message", (command: HomeCommand) => {
  void obey(command)
    .catch((error: unknown): HomeAnswer => ({ failure: String(error) }))
    .then((answer) => process.send?.(answer));
});
process.on("disconnect", () => process.exit());
