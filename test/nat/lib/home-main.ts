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
    case "report":
      return { report: (await (await ask(node, "GET", "/api/node")).json()) as NodeReport };
    case "lend-relay":
      await ask(node, "PUT", "/api/relay-consent", JSON.stringify({ given: true }));
      return {};
    case "pass":
      return { pass: node.relay.pass(new Uint8Array(16)) };
    case "stop":
      await node.stop();
      return {};
  }
}

function ask({ url, token }: RunningNode, method: string, path: string, body?: string): Promise<Response> {
  const headers = { authorization: `Bearer ${token}` };
  return fetch(`${new URL(url).origin}${path}`, { method, headers, ...(body === undefined ? {} : { body }) });
}

process.on("message", (command: HomeCommand) => {
  void obey(command)
    .catch((error: unknown): HomeAnswer => ({ failure: String(error) }))
    .then((answer) => process.send?.(answer));
});
process.on("disconnect", () => process.exit());
