/**
 * Call set-up beside a classic SIP client, in the same run on the same machine: two baresip processes that dial each
 * other directly (no registrar or proxy in between, which is its best case), with Opus, ICE and DTLS-SRTP, and two
 * Earshot clients that find each other through a daemon.
 */
import { setTimeout as delay } from "node:timers/promises";
import { startDaemon } from "../test/e2e/lib/daemon.ts";
import { type Baresip, baresipMissing, startBaresip } from "./baresip/baresip.ts";
import { befriend, type Person, startPerson } from "./call/person.ts";
import { now } from "./call/protocol.ts";
import { type Measurement, median } from "./measurement.ts";

export const name = "baresip";

const CALLS = 10;
/** Answered at once, and after somebody has had time to look. */
const RING_MS = [0, 1_000] as const;

interface SetUp {
  readonly toRinging: number;
  /** From the answer until both ends have the other's sound. */
  readonly toSound: number;
}

type PlaceCall = (ringMs: number) => Promise<SetUp>;

/** Takes about a minute. */
export async function run(): Promise<Measurement[]> {
  const missing = baresipMissing();
  const ours = await withEarshot(measure);
  const theirs = missing === undefined ? await withBaresip(measure) : undefined;
  if (!theirs) console.log(`baresip: skipped, ${missing}`);
  return [
    row("dial to ringing, p50", ours.ringing, theirs?.ringing),
    row("answer at once to sound at both ends, p50", ours.atOnce, theirs?.atOnce),
    row(`answer ${RING_MS[1]} ms after the ring to sound, p50`, ours.later, theirs?.later),
  ].flat();
}

function row(metric: string, ours: number, theirs: number | undefined): Measurement[] {
  const other = theirs === undefined ? "baresip: not measured" : `baresip ${theirs.toFixed(1)} ms`;
  return [
    {
      metric,
      measured: ours,
      unit: "ms",
      target: other,
      note: `${CALLS} calls each; sound: ours decoded, of baresip the first packet`,
    },
  ];
}

async function measure(place: PlaceCall): Promise<{ ringing: number; atOnce: number; later: number }> {
  const series: SetUp[][] = [];
  for (const ringMs of RING_MS) {
    const calls: SetUp[] = [];
    for (let i = 0; i < CALLS; i++) calls.push(await place(ringMs));
    series.push(calls);
  }
  const [atOnce = [], later = []] = series;
  return {
    ringing: median([...atOnce, ...later].map(({ toRinging }) => toRinging)),
    atOnce: median(atOnce.map(({ toSound }) => toSound)),
    later: median(later.map(({ toSound }) => toSound)),
  };
}

async function withBaresip<T>(use: (place: PlaceCall) => Promise<T>): Promise<T> {
  const phones: Baresip[] = [await startBaresip(), await startBaresip()];
  const [caller, callee] = phones as [Baresip, Baresip];
  try {
    return await use(async (ringMs) => {
      for (const phone of phones) phone.forget();
      const dialled = now();
      caller.command("dial", callee.uri);
      const rang = await callee.next("CALL_INCOMING");
      await delay(ringMs);
      const answered = now();
      callee.command("accept");
      const sound = await Promise.all(phones.map((phone) => phone.next("CALL_RTPESTAB")));
      caller.command("hangup");
      await callee.next("CALL_CLOSED");
      return { toRinging: rang - dialled, toSound: Math.max(...sound) - answered };
    });
  } finally {
    await Promise.all(phones.map((phone) => phone.stop()));
  }
}

async function withEarshot<T>(use: (place: PlaceCall) => Promise<T>): Promise<T> {
  const node = await startDaemon({ args: ["--no-echo"] });
  const people: Person[] = [];
  try {
    for (const who of ["Ann", "Ben"]) people.push(await startPerson(who, node.url));
    const [caller, callee] = people as [Person, Person];
    await befriend(caller, callee);
    for (const person of people) await person.ask({ op: "sound", sound: "tone" });
    return await use((ringMs) => placeCall(caller, callee, ringMs));
  } finally {
    await Promise.all(people.map((person) => person.stop()));
    await node.stop();
  }
}

async function placeCall(caller: Person, callee: Person, ringMs: number): Promise<SetUp> {
  for (const person of [caller, callee]) person.forget();
  await caller.ask({ op: "call", id: callee.id });
  const dialled = await caller.next("dialled");
  const rang = await callee.next("rings-here");
  await delay(ringMs);
  await callee.ask({ op: "answer" });
  const answered = await callee.next("answered");
  const sound = await Promise.all([caller.next("heard"), callee.next("heard")]);
  await caller.ask({ op: "hang-up" });
  await Promise.all([caller.next("ended"), callee.next("ended")]);
  return { toRinging: rang - dialled, toSound: Math.max(...sound) - answered };
}
