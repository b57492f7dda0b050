/**
 * Call machines on a small network, for tests: one caller, one or more devices of the callee, transports that connect
 * once both ends know each other, envelopes and channels with latency. Time is virtual; nothing runs by itself.
 */
import { concat, toHex, utf8 } from "../../bytes.ts";
import { unwrap } from "../../errors.ts";
import { sha256 } from "@noble/hashes/sha2.js";
import { createIncomingCall, createOutgoingCall, step } from "../call-machine.ts";
import { decodeCallPacket } from "../call-message.ts";
import type { CallEffect, CallEvent, CallState, LegId, TimerName } from "../call-states.ts";
import type { CallMessage, CallPacket, CallRole, CallSetup, Candidate, Carrier } from "../call-types.ts";

const ENVELOPE_MS = 20;
const CHANNEL_MS = 5;
const STACK_MS = 5;

/** Repeatable bytes. */
export function testBytes(label: string, length: number): Uint8Array {
  return concat(sha256(utf8(label)), sha256(utf8(`${label} more`))).slice(0, length);
}

export function testSetup(role: CallRole, label: string, changes: Partial<CallSetup> = {}): CallSetup {
  return {
    role,
    fingerprint: testBytes(`fingerprint ${label}`, 32),
    ufrag: toHex(testBytes(`ufrag ${label}`, 4)),
    pwd: toHex(testBytes(`pwd ${label}`, 12)),
    audio: [{ name: "opus", payloadType: 111 }],
    video: [{ name: "vp8", payloadType: 96, rtxPayloadType: 97 }],
    extensions: [{ name: "mid", number: 4 }],
    policy: { relay: false, video: true },
    ...changes,
  };
}

export function testCandidate(port: number, changes: Partial<Candidate> = {}): Candidate {
  return {
    foundation: "1",
    transport: "udp",
    priority: 2_113_937_151,
    address: "192.0.2.7",
    port,
    type: "host",
    relatedAddress: null,
    relatedPort: null,
    tcpType: null,
    ...changes,
  };
}

/** A message on its way: what a test may drop, delay or alter. */
export interface Passing {
  readonly from: Phone;
  readonly to: Phone;
  readonly carrier: Carrier;
  readonly packet: CallPacket;
}

export interface Phone {
  readonly name: string;
  readonly role: CallRole;
  readonly device: Uint8Array;
  state: CallState;
  readonly effects: CallEffect[];
  /** How many candidates the stack finds. */
  candidates: number;
  dispatch(event: CallEvent): void;
  /** Effects of one type, in order. */
  did<T extends CallEffect["type"]>(type: T): Extract<CallEffect, { type: T }>[];
}

interface Link {
  readonly leg: LegId;
  readonly caller: Phone;
  readonly callee: Phone;
  /** Generations whose description each end has set, -1 before. */
  callerHas: number;
  calleeHas: number;
  connected: number;
}

interface Task {
  readonly at: number;
  readonly order: number;
  /** Tasks of one lane stay in order: a data channel, one stack. */
  readonly lane: string;
  readonly run: () => void;
}

export interface WorldOptions {
  readonly devices?: number;
  readonly callerEarly?: boolean;
  readonly calleeEarly?: boolean;
  readonly busy?: boolean;
  readonly video?: boolean;
  /** Sees every message at the moment it is sent: false drops it, another one goes in its place. */
  readonly pass?: (passing: Passing) => boolean | Passing;
  readonly callerPolicy?: { relay: boolean; video: boolean };
  readonly calleePolicy?: { relay: boolean; video: boolean };
}

export type World = ReturnType<typeof createWorld>;

/** The people and the network; `dial()` starts. */
export function createWorld(options: WorldOptions = {}) {
  let now = 1_000_000;
  let order = 0;
  const tasks: Task[] = [];
  const links: Link[] = [];
  const timers = new Map<string, Task>();
  const network = { up: true, ringShown: true };
  const callId = testBytes("call", 16);
  const devices = Array.from({ length: options.devices ?? 1 }, (_, i) => testBytes(`callee device ${i}`, 32));
  const callerParty = { account: testBytes("caller", 32), device: testBytes("caller device", 32) };
  const calleeAccount = testBytes("callee", 32);
  const policy = { relay: false, video: true };

  function later(delayMs: number, lane: string, run: () => void): Task {
    const task = { at: now + delayMs, order: order++, lane, run };
    tasks.push(task);
    return task;
  }

  function createPhone(name: string, role: CallRole, device: Uint8Array, state: CallState): Phone {
    const effects: CallEffect[] = [];
    const phone: Phone = {
      name,
      role,
      device,
      state,
      effects,
      candidates: 3,
      dispatch(event) {
        const result = step(phone.state, event);
        phone.state = result.state;
        for (const effect of result.effects) {
          effects.push(effect);
          carryOut(phone, effect);
        }
      },
      did: (type) => effects.filter((effect): effect is never => effect.type === type),
    };
    return phone;
  }

  const linkOf = (phone: Phone, leg: LegId): Link =>
    links.find((link) => (phone.role === "caller" ? link.leg === leg : link.callee === phone)) as Link;

  function describe(phone: Phone, leg: LegId, generation: number): void {
    const link = linkOf(phone, leg);
    const label = `${phone.name} ${link.leg} ${generation}`;
    later(STACK_MS, `stack ${phone.name} ${leg}`, () => {
      if (generation === 0) {
        const video = phone.role === "caller" ? options.callerPolicy : options.calleePolicy;
        phone.dispatch({ type: "setup-ready", leg, setup: testSetup(phone.role, label, { policy: video ?? policy }) });
      } else {
        const { ufrag, pwd } = testSetup(phone.role, label);
        phone.dispatch({ type: "restart-ready", leg, generation, ufrag, pwd });
      }
      if (phone.role === "callee") link.calleeHas = Math.max(link.calleeHas, generation);
      connectIfReady(link);
    });
    const candidates = Array.from({ length: phone.candidates }, (_, i) => testCandidate(1000 + 100 * generation + i));
    later(2 * STACK_MS, `stack ${phone.name} ${leg}`, () => {
      phone.dispatch({ type: "local-candidates", leg, generation, candidates, end: true });
    });
  }

  function connectIfReady(link: Link): void {
    const generation = Math.min(link.callerHas, link.calleeHas);
    if (!network.up || generation < 0 || generation <= link.connected) return;
    link.connected = generation;
    for (const [phone, leg] of [
      [link.caller, link.leg],
      [link.callee, 0],
    ] as const) {
      later(STACK_MS, `stack ${phone.name} ${leg}`, () => {
        phone.dispatch({ type: "transport", leg, state: "connected" });
        phone.dispatch({ type: "channel-open", leg });
      });
    }
  }

  function carryOut(phone: Phone, effect: CallEffect): void {
    switch (effect.type) {
      case "create-transport":
        return describe(phone, effect.leg, 0);
      case "restart-ice":
        return describe(phone, effect.leg, effect.generation);
      case "apply-remote-setup":
        linkOf(phone, effect.leg).callerHas = 0;
        return connectIfReady(linkOf(phone, effect.leg));
      case "apply-restart":
        if (phone.role === "callee") return describe(phone, effect.leg, effect.generation);
        linkOf(phone, effect.leg).callerHas = effect.generation;
        return connectIfReady(linkOf(phone, effect.leg));
      case "send":
        return carry(phone, effect);
      case "start-timer":
      case "stop-timer":
        return setTimer(phone, effect);
      case "ended":
        for (const name of ["ring", "connect", "vanish", "restart", "ping", "gap", "repair"] as const)
          setTimer(phone, { type: "stop-timer", name });
        return undefined;
      case "ring":
        if (network.ringShown) later(0, `screen ${phone.name}`, () => phone.dispatch({ type: "ring-shown" }));
        return undefined;
      default:
        return undefined;
    }
  }

  function setTimer(phone: Phone, effect: Extract<CallEffect, { type: "start-timer" | "stop-timer" }>): void {
    const key = `${phone.name} ${effect.name}`;
    const old = timers.get(key);
    if (old !== undefined && tasks.includes(old)) tasks.splice(tasks.indexOf(old), 1);
    if (effect.type === "stop-timer") return;
    const name: TimerName = effect.name;
    timers.set(
      key,
      later(effect.delayMs, `timer ${key}`, () => phone.dispatch({ type: "timer", name })),
    );
  }

  function carry(from: Phone, effect: Extract<CallEffect, { type: "send" }>): void {
    const link = linkOf(from, effect.leg);
    const to = from.role === "caller" ? link.callee : link.caller;
    const passing = { from, to, carrier: effect.carrier, packet: unwrap(decodeCallPacket(effect.bytes)) };
    const passed = options.pass?.(passing) ?? true;
    if (passed === false || (effect.carrier === "channel" && !network.up)) return;
    const lane = `${effect.carrier} ${from.name} ${link.leg}`;
    later(effect.carrier === "envelope" ? ENVELOPE_MS : CHANNEL_MS, lane, () =>
      deliver(passed === true ? passing : passed),
    );
  }

  function deliver({ from, to, carrier, packet }: Passing): void {
    to.dispatch({ type: "message", from: from.device, carrier, packet, sentAt: now, now });
  }

  const callerNonces = devices.map((device, i) => ({ device, nonce: testBytes(`nA ${i}`, 16) }));
  const caller = createPhone(
    "caller",
    "caller",
    callerParty.device,
    createOutgoingCall({
      callId,
      self: callerParty,
      peer: calleeAccount,
      devices: callerNonces,
      policy: options.callerPolicy ?? policy,
      earlyCandidates: options.callerEarly ?? true,
      media: { audio: true, video: options.video ?? false },
    }),
  );
  const callees = devices.map((device, i) =>
    createPhone(
      `callee ${i}`,
      "callee",
      device,
      createIncomingCall({
        callId,
        self: { account: calleeAccount, device },
        caller: callerParty,
        nonce: testBytes(`nB ${i}`, 16),
        policy: options.calleePolicy ?? policy,
        earlyCandidates: options.calleeEarly ?? true,
        busy: options.busy ?? false,
      }),
    ),
  );
  for (const [leg, callee] of callees.entries())
    links.push({ leg, caller, callee, callerHas: -1, calleeHas: -1, connected: -1 });

  function runTask(task: Task): void {
    tasks.splice(tasks.indexOf(task), 1);
    now = Math.max(now, task.at);
    task.run();
  }

  return {
    caller,
    callees,
    callee: callees[0] as Phone,
    callId,
    network,
    deliver,
    dial: () => caller.dispatch({ type: "start" }),
    /** Lets `ms` pass. */
    run(ms: number): void {
      const until = now + ms;
      for (;;) {
        const next = [...tasks].sort((a, b) => a.at - b.at || a.order - b.order)[0];
        if (next === undefined || next.at > until) break;
        runTask(next);
      }
      now = until;
    },
    /** Does one of the waiting things, or lets a timer fire early, as `pick` says; lanes stay in order. False when nothing waits. */
    runOne(pick: number, timer = false): boolean {
      const lanes = new Map<string, Task>();
      for (const task of tasks)
        if (task.lane.startsWith("timer") === timer && !lanes.has(task.lane)) lanes.set(task.lane, task);
      const ready = [...lanes.values()];
      const task = ready[pick % Math.max(1, ready.length)];
      if (task !== undefined) runTask(task);
      return task !== undefined;
    },
    /** The path between the chosen ends goes away or comes back; ICE notices. */
    setPath(up: boolean): void {
      network.up = up;
      for (const link of links) {
        if (link.connected < 0) continue;
        for (const [phone, leg] of [
          [link.caller, link.leg],
          [link.callee, 0],
        ] as const)
          phone.dispatch({ type: "transport", leg, state: up ? "connected" : "disconnected" });
        connectIfReady(link);
      }
    },
  };
}

/** What a message that was sent says, for assertions. */
export function sentMessages(phone: Phone): CallMessage[] {
  return phone.did("send").map((effect) => unwrap(decodeCallPacket(effect.bytes)).message);
}
