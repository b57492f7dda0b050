/** baresip, a SIP client (Debian package baresip-core), as a process that is scripted over its ctrl_tcp module. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { freePort } from "../../test/e2e/lib/daemon.ts";
import { EventQueue } from "../call/event-queue.ts";
import { now } from "../call/protocol.ts";

const MODULE_FOLDERS = ["/usr/lib/baresip/modules", "/usr/lib/x86_64-linux-gnu/baresip/modules"];
const MODULES = ["opus", "ausine", "aufile", "stun", "ice", "srtp", "dtls_srtp"];
const CONNECT_TRIES = 50;
const CONNECT_EVERY_MS = 100;

/** As ctrl_tcp names them. RTPESTAB: the first packet of the other's sound has come in, decrypted. */
type BaresipEvent = "CALL_INCOMING" | "CALL_RINGING" | "CALL_ESTABLISHED" | "CALL_RTPESTAB" | "CALL_CLOSED";

export interface Baresip {
  readonly uri: string;
  command(command: "dial" | "accept" | "hangup", params?: string): void;
  next(event: BaresipEvent): Promise<number>;
  forget(): void;
  stop(): Promise<void>;
}

/** Why it cannot be measured here, or undefined where it can. */
export function baresipMissing(): string | undefined {
  if (spawnSync("which", ["baresip"]).status !== 0) return "not installed (Debian package baresip-core)";
  const folder = MODULE_FOLDERS.find(existsSync);
  const missing = MODULES.filter((module) => !existsSync(join(folder ?? "", `${module}.so`)));
  return missing.length > 0 ? `installed without its modules ${missing.join(", ")}` : undefined;
}

/** Opus, ICE and DTLS-SRTP, as ours; a tone as the microphone; no registrar: peers are dialled by address. */
function writeConfig(folder: string, sipPort: number, controlPort: number): string {
  const config = [
    "poll_method epoll",
    `sip_listen 127.0.0.1:${sipPort}`,
    "audio_source ausine,440",
    `audio_player aufile,${join(folder, "heard.wav")}`,
    "rtcp_mux yes",
    `module_path ${MODULE_FOLDERS.find(existsSync)}`,
    ...MODULES.map((module) => `module ${module}.so`),
    "module_tmp account.so",
    "module_app menu.so",
    "module_app ctrl_tcp.so",
    `ctrl_tcp_listen 127.0.0.1:${controlPort}`,
  ];
  const uri = `sip:bench@127.0.0.1:${sipPort}`;
  const parameters = "regint=0;mediaenc=dtls_srtp;medianat=ice;audio_codecs=opus/48000/2;answermode=manual";
  writeFileSync(join(folder, "config"), `${config.join("\n")}\n`);
  writeFileSync(join(folder, "accounts"), `<${uri};transport=udp>;${parameters}\n`);
  writeFileSync(join(folder, "contacts"), "");
  return uri;
}

async function connectControl(port: number): Promise<Socket> {
  for (let tried = 0; tried < CONNECT_TRIES; tried++) {
    const socket = connect(port, "127.0.0.1");
    const connected = await Promise.race([
      once(socket, "connect").then(() => true),
      once(socket, "error").then(() => false),
    ]).catch(() => false);
    if (connected) return socket;
    await delay(CONNECT_EVERY_MS);
  }
  throw new Error("baresip did not open its control port");
}

/** ctrl_tcp speaks netstrings of JSON: `length:{…},`. */
function readEvents(socket: Socket, events: EventQueue<BaresipEvent>): void {
  let buffered = "";
  socket.setEncoding("utf8").on("data", (text: string) => {
    buffered += text;
    for (;;) {
      const colon = buffered.indexOf(":");
      const length = Number(buffered.slice(0, colon));
      if (colon < 0 || buffered.length < colon + length + 2) return;
      const message = JSON.parse(buffered.slice(colon + 1, colon + 1 + length)) as { event?: boolean; type?: string };
      buffered = buffered.slice(colon + length + 2);
      if (message.event) events.put(message.type as BaresipEvent, now());
    }
  });
}

export async function startBaresip(): Promise<Baresip> {
  const folder = mkdtempSync(join(tmpdir(), "earshot-baresip-"));
  const controlPort = await freePort();
  const uri = writeConfig(folder, await freePort(), controlPort);
  const child = spawn("baresip", ["-f", folder], { stdio: "ignore" });
  const exited = once(child, "exit");
  const socket = await connectControl(controlPort);
  const events = new EventQueue<BaresipEvent>();
  readEvents(socket, events);
  return {
    uri,
    command(command, params = "") {
      const text = JSON.stringify({ command, params, token: command });
      socket.write(`${text.length}:${text},`);
    },
    next: (event) => events.take(event),
    forget: () => events.clear(),
    async stop() {
      socket.destroy();
      child.kill("SIGKILL");
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
