import { Admission } from "@earshot/core";
import { VirtualClock } from "@earshot/testkit";
import { afterEach, expect, test } from "vitest";
import { DEFAULT_LIMITS } from "../limits.ts";
import { createNodeLog } from "../log.ts";
import { NodeMetrics } from "../metrics.ts";
import { PrefixLimits } from "../prefix-limits.ts";
import { EdgeListener } from "./edge-listener.ts";
import type { EdgeServices } from "./edge-services.ts";
import { SendBuffers } from "./send-buffers.ts";

const SUPERNODE = "192.0.2.1";
const clock = new VirtualClock();
const listeners: EdgeListener[] = [];
afterEach(() => Promise.all(listeners.splice(0).map((each) => each.close(0, 0))));

/** Admits ten strangers, and then nobody for a long time. */
function listener(): EdgeListener {
  const services = {
    clock,
    limits: DEFAULT_LIMITS,
    log: createNodeLog("silent"),
    metrics: new NodeMetrics(),
    admission: new Admission({ perSecond: 0.001, burst: 10 }, clock.now()),
    sendBuffers: new SendBuffers(DEFAULT_LIMITS),
    overlay: { isSupernodeAt: (host: string) => host === SUPERNODE, descriptors: () => [] },
  } as unknown as EdgeServices;
  const handshakes = { perSecond: 1_000, burst: 1_000 };
  const made = new EdgeListener(services, new PrefixLimits({ handshakes, maxPrefixes: 100, limitPrivate: false }));
  listeners.push(made);
  return made;
}

test("a crowd that is turned away does not cut the clients here off from other supernodes", () => {
  const edge = listener();
  const admitted = Array.from({ length: 100 }, () => edge.admit("198.51.100.7").admitted);
  expect(admitted.filter(Boolean)).toHaveLength(10);
  expect(edge.admit(SUPERNODE).admitted).toBe(true);
  expect(edge.admit("198.51.100.8")).toMatchObject({ admitted: false, retryAfterMs: 60_000 });
});

test("who is at a supernode's address gets in beyond the rate no more often than supernodes need to", () => {
  const edge = listener();
  const admitted = Array.from({ length: 300 }, () => edge.admit(SUPERNODE).admitted);
  expect(admitted.filter(Boolean).length).toBeLessThanOrEqual(10 + 64);
});

test("nobody gets in while it drains", async () => {
  const edge = listener();
  await edge.close(0, 0);
  expect(edge.admit(SUPERNODE).admitted).toBe(false);
});
