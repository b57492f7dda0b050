import { accept, decodeServerFrame, encodeFrame, refuse, type ServerFrame } from "@earshot/core";
import { deferred } from "@earshot/testkit";
import { expect, test } from "vitest";
import { DEFAULT_LIMITS } from "../limits.ts";
import { createNodeLog } from "../log.ts";
import { NodeMetrics } from "../metrics.ts";
import { EdgeConnection } from "./edge-connection.ts";
import type { EdgeServices } from "./edge-services.ts";
import { NO_HANDLERS } from "./edge-stream.ts";
import { SendBuffers } from "./send-buffers.ts";

/** A greeted connection whose bundles are taken as `putBundle` says and committed as `committed` says. */
function greeted(putBundle: () => unknown, committed: () => Promise<void>, supernodes: readonly Uint8Array[] = []) {
  const answers: ServerFrame[] = [];
  const stream = {
    handlers: NO_HANDLERS,
    bufferedBytes: 0,
    send: (message: Uint8Array) => {
      const frame = decodeServerFrame(message);
      if (frame.ok) answers.push(frame.value);
    },
    onceDrained: () => {},
    ping: () => {},
    close: () => {},
    terminate: () => {},
  };
  const services = {
    clock: { now: () => 0, setTimer: () => () => {} },
    limits: DEFAULT_LIMITS,
    log: createNodeLog("silent"),
    metrics: new NodeMetrics(),
    records: { putBundle },
    store: { committed },
    sendBuffers: new SendBuffers(DEFAULT_LIMITS),
    overlay: { isSupernode: (key: Uint8Array) => supernodes.includes(key) },
  } as unknown as EdgeServices;
  const origin = { transport: "websocket", prefix: undefined, host: "" } as const;
  const connection = new EdgeConnection(stream, services, origin, () => {});
  connection.challenge = new Uint8Array(32);
  const ask = (requestId: number) =>
    stream.handlers.onMessage(encodeFrame({ type: "put-bundle", requestId, at: null, bundle: new Uint8Array(10) }));
  const told = () => answers.map((each) => `${each.requestId} ${each.type === "error" ? each.code : each.type}`);
  return { connection, ask, told };
}

test("all that wait for one commit are answered, each under its id and once, and not before it", async () => {
  let commit = deferred<void>();
  const { ask, told } = greeted(
    () => accept(undefined),
    () => commit.promise,
  );
  for (const id of [7, 8, 9]) ask(id);
  const first = commit;
  commit = deferred<void>();
  ask(10);
  await Promise.resolve();
  expect(told()).toEqual([]);
  first.resolve();
  await expect.poll(told).toEqual(["7 ok", "8 ok", "9 ok"]);
  // The store gives the last commit's promise for as long as nothing new is gathered.
  commit.resolve();
  await expect.poll(told).toEqual(["7 ok", "8 ok", "9 ok", "10 ok"]);
  ask(11);
  await expect.poll(told).toEqual(["7 ok", "8 ok", "9 ok", "10 ok", "11 ok"]);
});

test("a commit that fails is told to all that wait for it, and so is how many may wait", async () => {
  const commit = deferred<void>();
  const { ask, told } = greeted(
    () => accept(undefined),
    () => commit.promise,
  );
  for (let id = 1; id <= 65; id++) ask(id);
  expect(told()).toEqual(["65 rate-limited"]);
  commit.reject(new Error("disk full"));
  await expect.poll(() => told().length).toBe(65);
  expect(new Set(told().slice(1))).toEqual(new Set(Array.from({ length: 64 }, (_, i) => `${i + 1} server-busy`)));
  // Their places are free again.
  ask(66);
  expect(told().length).toBe(65);
  await expect.poll(told).toContain("66 server-busy");
});

test("a fault of ours is answered, and neither ends the connection nor the process", async () => {
  let faults = 0;
  const { connection, ask, told } = greeted(
    () => {
      if (faults++ === 0) throw new Error("a fault");
      return refuse("over-quota");
    },
    () => Promise.resolve(),
  );
  ask(1);
  expect(told()).toEqual(["1 server-busy"]);
  expect(connection.open).toBe(true);
  ask(2);
  expect(told()).toEqual(["1 server-busy", "2 over-quota"]);
});

test("who only says to be a supernode is let go after as many refusals as a client; one that has proved it is not", async () => {
  const key = new Uint8Array(32).fill(1);
  const refusing = [() => refuse("over-quota"), () => Promise.resolve()] as const;
  const [liar, proved] = [greeted(...refusing), greeted(...refusing, [key])];
  liar.connection.peerKey = proved.connection.peerKey = key;
  for (let id = 1; id <= DEFAULT_LIMITS.maxRefusalsPerConnection + 1; id++) {
    liar.ask(id);
    proved.ask(id);
  }
  expect([liar.connection.open, proved.connection.open]).toEqual([false, true]);
});
