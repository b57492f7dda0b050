/** The process that Echo lives in: apart from the daemon, so that a crash of the native WebRTC cannot take that down. */
import { EarshotError } from "@earshot/core";
import { type Client, createClient } from "@earshot/sdk";
import { nodeClientOptions } from "@earshot/sdk/node";
import { loadWebRtc } from "../webrtc.ts";
import { loadClips } from "./clips.ts";
import { answerCalls } from "./echo-calls.ts";
import { type EchoOrders, type EchoReport, isEchoOrders } from "./echo-messages.ts";

/** Hanging up politely takes this long at most; then the process ends anyway. */
const STOP_TIMEOUT_MS = 2_000;

/** One call takes about a tenth of a core and 80 MB (design.md section 5); further callers hear that it is busy. */
const MAX_CALLS = 4;

/** `earshot echo-host`: hosts Echo until the parent's IPC channel closes, which it does even when the parent is killed. */
export async function hostEcho(): Promise<void> {
  if (process.send === undefined)
    throw new EarshotError("bad-usage", "echo-host is started by earshot start, not by hand.");
  // Ctrl-C reaches the whole process group; the parent decides when Echo ends.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => undefined);
  const parentGone = new Promise<void>((resolve) => process.once("disconnect", resolve));
  const orders = await Promise.race([receiveOrders(), parentGone]);
  if (orders === undefined) return;
  const client = await Promise.race([startEcho(orders), parentGone]);
  if (client === undefined) return;
  await parentGone;
  await Promise.race([client.stop(), new Promise((resolve) => setTimeout(resolve, STOP_TIMEOUT_MS))]);
}

async function startEcho({ home, url, token }: EchoOrders): Promise<Client> {
  const [webRtc, clips] = await Promise.all([loadWebRtc(), loadClips()]);
  const ports = await nodeClientOptions({ home, node: { url, token } });
  const client = await createClient({ ...ports, name: "Echo", acceptAllRequests: true, maxCalls: MAX_CALLS });
  answerCalls(client, webRtc, clips);
  client.on("status", ({ state, problem }) => {
    if (state === "online") report({ card: client.card() });
    else if (problem !== undefined) report({ problem });
  });
  await client.start();
  report({ card: client.card() });
  return client;
}

function receiveOrders(): Promise<EchoOrders> {
  return new Promise((resolve) => {
    process.on("message", (message) => {
      if (isEchoOrders(message)) resolve(message);
    });
  });
}

function report(message: EchoReport): void {
  if (process.connected) process.send?.(message);
}
