/**
 * What comes through a home router from outside: prints what /healthz and STUN answer there.
 *
 *     outside-main.mjs HOST PORT
 */
import { randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { once } from "node:events";

const [, , host = "", port = ""] = process.argv;
const LIMIT_MS = 2_000;

async function health() {
  const response = await fetch(`http://${host}:${port}/healthz`, { signal: AbortSignal.timeout(LIMIT_MS) });
  return (await response.text()).trim();
}

async function stun() {
  const socket = createSocket("udp4");
  const request = Buffer.from(`000100002112a442${randomBytes(12).toString("hex")}`, "hex");
  const answered = once(socket, "message", { signal: AbortSignal.timeout(LIMIT_MS) });
  socket.send(request, Number(port), host);
  const [answer] = await answered;
  socket.close();
  return answer.readUInt16BE(0) === 0x0101 ? "answered" : "something else";
}

const none = () => "nothing";
console.log(JSON.stringify({ tcp: await health().catch(none), udp: await stun().catch(none) }));
process.exit();
