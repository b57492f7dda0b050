/**
 * The relay beside coturn, in the same run: what a million voice packets cost where they come one after the other, how many relayed calls
 * (each two directions, 50 packets a second) a core carries at that, and what becomes of the packets of 300 calls in real time: the ends
 * of more than that take more than the other core of two. coturn is Debian's package, with one relay thread; where it is not
 * installed that half is left out and said to be.
 */
import { type ChildProcess, fork, spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeStun, STUN_BINDING_REQUEST } from "@earshot/core";
import { freePort } from "../test/e2e/lib/daemon.ts";
import type { Measurement } from "./measurement.ts";
import { cpuSecondsOf } from "./process-stats.ts";
import type { RelayLoad, RelayLoaded } from "./relay/load-main.ts";

export const name = "relay";

const SOURCE_OPTIONS = ["--conditions=earshot-source", "--import", "tsx"];
const SECRET = "north";
/** Ends of calls at once: a process holds few enough sockets, and the packets of a round fit the kernel's buffers. */
const CALLS = 50;
const WARM_UP = 100_000;
const PACKETS = 400_000;
const PACKET_BYTES = 200;
/** Of a voice call with 20 ms frames, of which one end relays: both directions. */
const CALL_PACKETS_PER_SECOND = 100;
const REAL_CALLS = 300;
const REAL_SECONDS = 20;
const LISTEN_MS = 10_000;
const ASK_EVERY_MS = 200;

interface RelayUnderTest {
  readonly port: number;
  readonly pid: number;
  stop(): Promise<void>;
}

/** Takes about two minutes. */
export async function run(): Promise<Measurement[]> {
  const ours = await measure(await startOurs());
  const theirs = await startCoturn();
  if (theirs === undefined)
    console.log("coturn: skipped, turnserver is not installed (Debian: apt-get install coturn)");
  const coturn = theirs && (await measure(theirs));
  const rows = [...describe("ours", ours), ...(coturn ? describe("coturn", coturn) : [])];
  if (!coturn) return rows;
  const ratio = { metric: "CPU beside coturn", measured: ours.cpuPerMillion / coturn.cpuPerMillion, unit: "times" };
  return [...rows, { ...ratio, target: "1.7 to 2.2 (design: 17 or 22 to 10)" }];
}

interface Cost {
  readonly cpuPerMillion: number;
  readonly lost: number;
  readonly perSecond: number;
  readonly allocateMs: number;
  readonly real: RelayLoaded;
  /** Cores that were busy meanwhile. */
  readonly realCores: number;
}

/** A packet is one that the relay takes and sends on. */
async function measure(relay: RelayUnderTest): Promise<Cost> {
  const load = fork(join(import.meta.dirname, "relay/load-main.ts"), { execArgv: SOURCE_OPTIONS });
  const ask = async (packets: number, more: Partial<RelayLoad> = {}): Promise<RelayLoaded> => {
    const { port } = relay;
    const command: RelayLoad = { port, secret: SECRET, calls: CALLS, packets, packetBytes: PACKET_BYTES, ...more };
    load.send(command);
    const [answer] = (await once(load, "message")) as [{ value?: RelayLoaded; error?: string }];
    if (answer.value === undefined) throw new Error(`load: ${answer.error}`);
    return answer.value;
  };
  try {
    await ask(WARM_UP);
    const before = cpuSecondsOf(relay.pid);
    const { sent, received, seconds, allocateMs } = await ask(PACKETS);
    const cpuPerMillion = ((cpuSecondsOf(relay.pid) - before) / received) * 1e6;
    const realBefore = cpuSecondsOf(relay.pid);
    const perSecond = REAL_CALLS * CALL_PACKETS_PER_SECOND;
    const real = await ask(perSecond * REAL_SECONDS, { calls: REAL_CALLS, perSecond });
    const realCores = (cpuSecondsOf(relay.pid) - realBefore) / REAL_SECONDS;
    const lost = (sent - received) / sent;
    return { cpuPerMillion, lost, perSecond: received / seconds, allocateMs, real, realCores };
  } finally {
    load.kill("SIGKILL");
    await relay.stop();
  }
}

function describe(who: string, cost: Cost): Measurement[] {
  const { cpuPerMillion, lost, perSecond, allocateMs, real, realCores } = cost;
  const calls = 1e6 / cpuPerMillion / CALL_PACKETS_PER_SECOND;
  return [
    {
      metric: `${who}: CPU for a million packets of ${PACKET_BYTES} bytes`,
      measured: cpuPerMillion,
      unit: "s",
      note: `${(lost * 100).toFixed(2)} % lost; ${Math.round(perSecond).toLocaleString("en-US")} a second with the load on the other core`,
    },
    {
      metric: `${who}: voice calls that a core relays at that`,
      measured: calls,
      unit: "",
      target: "500 (20 s a million)",
    },
    {
      metric: `${who}: the packets of ${REAL_CALLS} calls in real time, for ${REAL_SECONDS} s`,
      measured: realCores,
      unit: "cores",
      note: `${(((real.sent - real.received) / real.sent) * 100).toFixed(2)} % lost; end to end p50 ${real.delayP50Ms.toFixed(1)} ms, p99 ${real.delayP99Ms.toFixed(1)} ms`,
    },
    { metric: `${who}: an allocation, with its challenge`, measured: allocateMs, unit: "ms" },
  ];
}

async function startOurs(): Promise<RelayUnderTest> {
  const child = spawn(process.execPath, [...SOURCE_OPTIONS, join(import.meta.dirname, "relay/relay-main.ts"), SECRET], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  return { port: Number(line.toString()), pid: child.pid as number, stop: () => end(child) };
}

async function startCoturn(): Promise<RelayUnderTest | undefined> {
  const folder = mkdtempSync(join(tmpdir(), "earshot-coturn-"));
  const port = await freePort();
  const child = spawn(
    "turnserver",
    [
      "-n",
      "--use-auth-secret",
      `--static-auth-secret=${SECRET}`,
      "--realm=earshot",
      "--listening-ip=127.0.0.1",
      "--relay-ip=127.0.0.1",
      `--listening-port=${port}`,
      "--allow-loopback-peers",
      "--no-cli",
      "--no-tls",
      "--no-dtls",
      "--relay-threads=1",
      "--log-file=stdout",
      `--pidfile=${join(folder, "pid")}`,
      `--userdb=${join(folder, "db")}`,
    ],
    { stdio: "ignore" },
  );
  const started = await Promise.race([
    once(child, "error").then(() => false),
    once(child, "exit").then(() => false),
    answers(port),
  ]);
  const stop = async (): Promise<void> => {
    await end(child);
    rmSync(folder, { recursive: true, force: true });
  };
  if (started) return { port, pid: child.pid as number, stop };
  if (child.pid !== undefined) await stop();
  return undefined;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}

/** Whether a STUN server answers there in time. */
async function answers(port: number): Promise<boolean> {
  const socket = createSocket("udp4");
  const transactionId = new Uint8Array(12).fill(7);
  const request = encodeStun({ type: STUN_BINDING_REQUEST, transactionId, attributes: [], hasFingerprint: false });
  const ask = (): void => socket.send(request, port, "127.0.0.1", () => {});
  const asking = setInterval(ask, ASK_EVERY_MS);
  try {
    await once(socket, "message", { signal: AbortSignal.timeout(LISTEN_MS) });
    return true;
  } catch {
    return false;
  } finally {
    clearInterval(asking);
    socket.close();
  }
}
