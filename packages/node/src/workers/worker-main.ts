/** The process of one worker, started by worker-pool.ts: file descriptor 4 is the stream to the core, the channel brings orders. */
import cluster from "node:cluster";
import { Socket } from "node:net";
import { watchLoopLag } from "../loop-lag.ts";
import { errorCodeOf } from "../log.ts";
import { systemClock } from "../system-clock.ts";
import { isOrder, type FrontOrders, type Report } from "./control.ts";
import { Front } from "./front.ts";

const CORE_FD = 4;
const REPORT_EVERY_MS = 1_000;
/** Without a core: how long newcomers are told to come back, and clients have to take their goodbye. */
const LOST_LINGER_MS = 300;

let front: Front | undefined;

process.on("message", (message) => {
  if (!isOrder(message)) return;
  if (message.order === "start") void start(message.front);
  else if (message.order === "tls") front?.setTls(message.tls);
  else front?.rest(message.resting).catch(() => process.exit(1)); // the core starts another
});
// By default a worker is gone with its channel, and its clients without a word.
if (cluster.worker) cluster.worker.exitedAfterDisconnect = true;
// The core ends its workers by their channel; signals of a terminal or of systemd are for the core.
process.on("SIGINT", () => {});
process.on("SIGTERM", () => {});
process.on("SIGHUP", () => {});
process.on("disconnect", () => leave());
report({ report: "ready" });

async function start(orders: FrontOrders): Promise<void> {
  const core = new Socket({ fd: CORE_FD, readable: true, writable: true });
  const created = new Front(orders, core, systemClock, leave);
  front = created;
  try {
    report({ report: "listening", port: await created.listen() });
  } catch (error) {
    report({ report: "failed", code: errorCodeOf(error) });
    return leave();
  }
  const lag = watchLoopLag((lagMs) => created.observeLag(lagMs));
  setInterval(() => {
    const { user, system } = process.cpuUsage();
    const used = { rssBytes: process.memoryUsage.rss(), cpuSeconds: (user + system) / 1e6, loopLagMs: lag.lagMs() };
    report({ report: "counts", ...created.takeCounts(), ...used });
  }, REPORT_EVERY_MS);
}

function report(message: Report): void {
  if (process.connected) process.send?.(message, () => {});
}

/** The core is gone: nothing here is of use without it. */
function leave(): void {
  setTimeout(() => process.exit(0), LOST_LINGER_MS);
}
