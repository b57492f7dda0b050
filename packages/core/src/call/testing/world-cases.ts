/**
 * Call machines on a small network, for tests: one caller, one or more devices of the callee, transports that connect
 * once both ends know each other, envelopes and channels with latency. Time is virtual; nothing runs by itself.
 */
import { unwrap } from "../../errors.ts";
import { createIncomingCall, createOutgoingCall, step } from "../call-machine.ts";
import { decodeCallPacket } from "../call-message.ts";
import type { CallEffect, CallEvent, CallState, LegId, TimerName } from "../call-states.ts";
import type {
  CallMessage,
  CallPacket,
  CallPolicy,
  CallRole,
  Candidate,
  Carrier,
  NamedRelay,
  RelayHost,
} from "../call-types.ts";
import { testBytes, testCandidate, testSetup } from "./fixture-cases.ts";
import { createSchedule, type Schedule, type Task } from "./schedule-cases.ts";

const ENVELOPE_MS = 20;
const CHANNEL_MS = 5;
const STACK_MS = 5;
/** How many candidates each stack finds. */
const CANDIDATES = 3;
const POLICY: CallPolicy = { relay: "any", video: true, relays: [] };
const TIMERS: readonly TimerName[] = ["ring", "connect", "vanish", "restart", "quiet", "ping", "gap", "repair"];

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
  readonly policy: CallPolicy;
  state: CallState;
  readonly effects: CallEffect[];
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

export interface WorldOptions {
  readonly devices?: number;
  readonly callerEarly?: boolean;
  readonly calleeEarly?: boolean;
  readonly busy?: boolean;
  readonly video?: boolean;
  /** Sees every message at the moment it is sent: false drops it, another one goes in its place. */
  readonly pass?: (passing: Passing) => boolean | Passing;
  readonly callerPolicy?: CallPolicy;
  readonly calleePolicy?: CallPolicy;
  readonly callerTrusts?: readonly Uint8Array[];
  readonly calleeTrusts?: readonly Uint8Array[];
  readonly callerHomes?: readonly RelayHost[];
  readonly calleeHomes?: readonly RelayHost[];
  readonly callerHides?: boolean;
  readonly calleeHides?: boolean;
  /** What each stack finds; three addresses of its own where not said. */
  readonly found?: (role: CallRole, generation: number) => readonly Candidate[];
  /** The relays that a stack has from this restart on; null: the same as before. */
  readonly renewed?: (role: CallRole, generation: number) => readonly NamedRelay[] | null;
  /** How far their supernodes' clocks are ahead of their own. */
  readonly callerCorrectionMs?: number;
  readonly calleeCorrectionMs?: number;
}

interface Wiring {
  readonly options: WorldOptions;
  readonly schedule: Schedule;
  readonly links: Link[];
  readonly timers: Map<string, Task>;
  /** Whether paths work, and whether the app shows what rings. */
  readonly network: { up: boolean; ringShown: boolean };
}

export type World = ReturnType<typeof createWorld>;

/** The people and the network; `dial()` starts. */
export function createWorld(options: WorldOptions = {}) {
  const schedule = createSchedule();
  const network = { up: true, ringShown: true };
  const wiring: Wiring = { options, schedule, links: [], timers: new Map(), network };
  const callId = testBytes("call", 16);
  const { caller, callees } = createPeople(wiring, callId);
  for (const [leg, callee] of callees.entries())
    wiring.links.push({ leg, caller, callee, callerHas: -1, calleeHas: -1, connected: -1 });
  return {
    caller,
    callees,
    callee: callees[0] as Phone,
    callId,
    network,
    run: schedule.run,
    runOne: schedule.runOne,
    deliver: (passing: Passing) => deliver(wiring, passing),
    dial: () => caller.dispatch({ type: "start" }),
    /** The path between connected ends goes away or comes back; ICE notices. */
    setPath(up: boolean): void {
      network.up = up;
      for (const link of wiring.links) {
        if (link.connected < 0) continue;
        for (const [phone, leg] of endsOf(link))
          phone.dispatch({ type: "transport", leg, state: up ? "connected" : "disconnected" });
        connectIfReady(wiring, link);
      }
    },
  };
}

function createPeople(wiring: Wiring, callId: Uint8Array): { caller: Phone; callees: Phone[] } {
  const {
    devices = 1,
    callerEarly,
    calleeEarly,
    busy,
    video,
    callerPolicy = POLICY,
    calleePolicy = POLICY,
  } = wiring.options;
  const callerParty = { account: testBytes("caller", 32), device: testBytes("caller device", 32) };
  const account = testBytes("callee", 32);
  const called = Array.from({ length: devices }, (_, i) => testBytes(`callee device ${i}`, 32));
  const dialling = createOutgoingCall({
    callId,
    self: callerParty,
    peer: account,
    devices: called.map((device, i) => ({ device, nonce: testBytes(`nA ${i}`, 16) })),
    policy: callerPolicy,
    trustedRelays: wiring.options.callerTrusts ?? [],
    ownHomes: wiring.options.callerHomes ?? [],
    relayOnly: wiring.options.callerHides ?? false,
    earlyCandidates: callerEarly ?? true,
    media: { audio: true, video: video ?? false },
    clockCorrectionMs: wiring.options.callerCorrectionMs ?? 0,
  });
  const caller = createPhone(wiring, "caller", dialling, callerPolicy);
  const callees = called.map((device, i) =>
    createPhone(
      wiring,
      `callee ${i}`,
      createIncomingCall({
        callId,
        self: { account, device },
        caller: callerParty,
        nonce: testBytes(`nB ${i}`, 16),
        policy: calleePolicy,
        trustedRelays: wiring.options.calleeTrusts ?? [],
        ownHomes: wiring.options.calleeHomes ?? [],
        relayOnly: wiring.options.calleeHides ?? false,
        earlyCandidates: calleeEarly ?? true,
        busy: busy ?? false,
        clockCorrectionMs: wiring.options.calleeCorrectionMs ?? 0,
      }),
      calleePolicy,
    ),
  );
  return { caller, callees };
}

function createPhone(wiring: Wiring, name: string, state: CallState, policy: CallPolicy): Phone {
  const effects: CallEffect[] = [];
  const phone: Phone = {
    name,
    role: state.role,
    device: state.self.device,
    policy,
    state,
    effects,
    dispatch(event) {
      const result = step(phone.state, event);
      phone.state = result.state;
      for (const effect of result.effects) {
        effects.push(effect);
        carryOut(wiring, phone, effect);
      }
    },
    did: (type) => effects.filter((effect): effect is never => effect.type === type),
  };
  return phone;
}

function linkOf({ links }: Wiring, phone: Phone, leg: LegId): Link {
  return links.find((link) => (phone.role === "caller" ? link.leg === leg : link.callee === phone)) as Link;
}

function endsOf(link: Link): readonly (readonly [Phone, LegId])[] {
  return [
    [link.caller, link.leg],
    [link.callee, 0],
  ];
}

function carryOut(wiring: Wiring, phone: Phone, effect: CallEffect): void {
  switch (effect.type) {
    case "create-transport":
      return describeLeg(wiring, phone, effect.leg, 0);
    case "restart-ice":
      return describeLeg(wiring, phone, effect.leg, effect.generation);
    case "apply-remote-setup":
      return callerGot(wiring, phone, effect.leg, 0);
    case "apply-restart":
      if (phone.role === "callee") return describeLeg(wiring, phone, effect.leg, effect.generation);
      return callerGot(wiring, phone, effect.leg, effect.generation);
    case "send":
      return carry(wiring, phone, effect);
    case "start-timer":
    case "stop-timer":
      return setTimer(wiring, phone, effect);
    case "ended":
      for (const name of TIMERS) setTimer(wiring, phone, { type: "stop-timer", name });
      return undefined;
    case "ring": {
      const shown = () => phone.dispatch({ type: "ring-shown" });
      if (wiring.network.ringShown) wiring.schedule.later(0, `screen ${phone.name}`, shown);
      return undefined;
    }
    default:
      return undefined;
  }
}

/** The stack makes a local description, and finds candidates. */
function describeLeg(wiring: Wiring, phone: Phone, leg: LegId, generation: number): void {
  const link = linkOf(wiring, phone, leg);
  const lane = `stack ${phone.name} ${leg}`;
  const setup = testSetup(phone.role, `${phone.name} ${link.leg} ${generation}`, { policy: phone.policy });
  wiring.schedule.later(STACK_MS, lane, () => {
    if (generation === 0) phone.dispatch({ type: "setup-ready", leg, setup });
    else {
      const relays = wiring.options.renewed?.(phone.role, generation) ?? null;
      phone.dispatch({ type: "restart-ready", leg, generation, ufrag: setup.ufrag, pwd: setup.pwd, relays });
    }
    if (phone.role === "callee") link.calleeHas = Math.max(link.calleeHas, generation);
    connectIfReady(wiring, link);
  });
  const candidates =
    wiring.options.found?.(phone.role, generation) ??
    Array.from({ length: CANDIDATES }, (_, i) => testCandidate(1000 + 100 * generation + i));
  wiring.schedule.later(2 * STACK_MS, lane, () => {
    phone.dispatch({ type: "local-candidates", leg, generation, candidates, end: true });
  });
}

function callerGot(wiring: Wiring, phone: Phone, leg: LegId, generation: number): void {
  const link = linkOf(wiring, phone, leg);
  link.callerHas = generation;
  connectIfReady(wiring, link);
}

function connectIfReady(wiring: Wiring, link: Link): void {
  const generation = Math.min(link.callerHas, link.calleeHas);
  if (!wiring.network.up || generation < 0 || generation <= link.connected) return;
  link.connected = generation;
  for (const [phone, leg] of endsOf(link)) {
    wiring.schedule.later(STACK_MS, `stack ${phone.name} ${leg}`, () => {
      phone.dispatch({ type: "transport", leg, state: "connected" });
      phone.dispatch({ type: "channel-open", leg });
    });
  }
}

function setTimer(
  { schedule, timers }: Wiring,
  phone: Phone,
  effect: Extract<CallEffect, { type: "start-timer" | "stop-timer" }>,
): void {
  const { name } = effect;
  const key = `${phone.name} ${name}`;
  schedule.cancel(timers.get(key));
  if (effect.type === "stop-timer") return;
  timers.set(
    key,
    schedule.later(effect.delayMs, `timer ${key}`, () => phone.dispatch({ type: "timer", name })),
  );
}

function carry(wiring: Wiring, from: Phone, effect: Extract<CallEffect, { type: "send" }>): void {
  const link = linkOf(wiring, from, effect.leg);
  const to = from.role === "caller" ? link.callee : link.caller;
  const { carrier } = effect;
  const passing = { from, to, carrier, packet: unwrap(decodeCallPacket(effect.bytes)) };
  const passed = wiring.options.pass?.(passing) ?? true;
  if (passed === false || (carrier === "channel" && !wiring.network.up)) return;
  const delayMs = carrier === "envelope" ? ENVELOPE_MS : CHANNEL_MS;
  wiring.schedule.later(delayMs, `${carrier} ${from.name} ${link.leg}`, () =>
    deliver(wiring, passed === true ? passing : passed),
  );
}

function deliver({ schedule }: Wiring, { from, to, carrier, packet }: Passing): void {
  const now = schedule.now();
  to.dispatch({ type: "message", from: from.device, carrier, packet, sentAt: now, now });
}

/** What a phone sent, for assertions. */
export function sentMessages(phone: Phone): CallMessage[] {
  return phone.did("send").map((effect) => unwrap(decodeCallPacket(effect.bytes)).message);
}

export const AUDIO = { audio: true, video: false };

/** A call that rings, with nothing left on its way. */
export function ringing(options: WorldOptions = {}): World {
  const world = createWorld(options);
  world.dial();
  world.run(200);
  return world;
}

/** A call that was answered, with nothing left on its way. */
export function answered(options: WorldOptions = {}): World {
  const world = ringing(options);
  world.callee.dispatch({ type: "answer", media: AUDIO });
  world.run(200);
  return world;
}

/** Why the call ended there; its phase where it did not. */
export function reason(phone: Phone): string {
  return phone.state.phase === "ended" ? phone.state.reason : phone.state.phase;
}
