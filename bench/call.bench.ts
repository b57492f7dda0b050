/**
 * A call between two SDK clients in processes of their own (`@roamhq/wrtc`), through a real daemon on one machine: how
 * soon it rings, how soon one is heard, how late one is heard, and what the call costs each client.
 */
import { setTimeout as delay } from "node:timers/promises";
import { startDaemon } from "../test/e2e/lib/daemon.ts";
import { befriend, type Person, startPerson } from "./call/person.ts";
import { type Measurement, median } from "./measurement.ts";

export const name = "call";

const CALLS = 15;
/** People take longer to answer; meanwhile the path is found and secured. */
const RING_MS = 1_000;
const BURSTS = 20;
const COST_SECONDS = 10;

interface CallTimes {
  readonly toRinging: number;
  /** From the answer until the caller hears the callee, and until the callee hears the caller. */
  readonly toFirstAudio: number;
}

/** Takes about a minute. */
export async function run(): Promise<Measurement[]> {
  const node = await startDaemon({ args: ["--no-echo"] });
  const people: Person[] = [];
  try {
    for (const who of ["Ann", "Ben"]) people.push(await startPerson(who, node.url));
    const [ann, ben] = people as [Person, Person];
    await befriend(ann, ben);
    const idleBytes = ann.residentBytes();
    const times: CallTimes[] = [];
    for (let i = 0; i < CALLS; i++) times.push(await oneCall(ann, ben));
    return [...rowsOf(times), ...(await longCall(ann, ben, idleBytes))];
  } finally {
    await Promise.all(people.map((person) => person.stop()));
    await node.stop();
  }
}

function rowsOf(times: readonly CallTimes[]): Measurement[] {
  return [
    {
      metric: "dial to ringing, p50",
      measured: median(times.map(({ toRinging }) => toRinging)),
      unit: "ms",
      target: "150 ms or less",
      note: `${CALLS} calls, one supernode`,
    },
    {
      metric: "answer to first audio heard at both ends, p50",
      measured: median(times.map(({ toFirstAudio }) => toFirstAudio)),
      unit: "ms",
      target: "100 ms or less",
      note: `answered ${RING_MS} ms after the ring, contacts`,
    },
  ];
}

async function connect(ann: Person, ben: Person): Promise<{ dialled: number; rang: number; answered: number }> {
  for (const person of [ann, ben]) {
    person.forget();
    await person.ask({ op: "sound", sound: "tone" });
  }
  await ann.ask({ op: "call", id: ben.id });
  const dialled = await ann.next("dialled");
  const rang = await ben.next("rings-here");
  await delay(RING_MS);
  await ben.ask({ op: "answer" });
  return { dialled, rang, answered: await ben.next("answered") };
}

async function hangUp(ann: Person, ben: Person): Promise<void> {
  await ann.ask({ op: "hang-up" });
  await Promise.all([ann.next("ended"), ben.next("ended")]);
}

async function oneCall(ann: Person, ben: Person): Promise<CallTimes> {
  const { dialled, rang, answered } = await connect(ann, ben);
  const heard = await Promise.all([ann.next("heard"), ben.next("heard")]);
  await hangUp(ann, ben);
  return { toRinging: rang - dialled, toFirstAudio: Math.max(...heard) - answered };
}

/** One call, long enough to measure how late the voice is and what the call costs. */
async function longCall(ann: Person, ben: Person, idleBytes: number): Promise<Measurement[]> {
  await connect(ann, ben);
  await Promise.all([ann.next("heard"), ben.next("heard")]);
  const cpuBefore = ann.cpuSeconds();
  await delay(COST_SECONDS * 1_000);
  const cpu = (ann.cpuSeconds() - cpuBefore) / COST_SECONDS;
  const residentBytes = ann.residentBytes();
  const delays = await burstDelays(ann, ben);
  await hangUp(ann, ben);
  return [
    {
      metric: "capture to playout, p50",
      measured: median(delays),
      unit: "ms",
      target: "100 ms or less",
      note: `${delays.length} tone bursts, from the frame given to WebRTC to the frame taken from it`,
    },
    { metric: "CPU of one client in a voice call", measured: cpu * 100, unit: "% of a core", target: "about 10 %" },
    {
      metric: "memory of one client in a voice call",
      measured: (residentBytes - idleBytes) / 2 ** 20,
      unit: "MiB more than idle",
      target: "about 78 MB",
      note: `${(residentBytes / 2 ** 20).toFixed(0)} MiB resident in all, after ${CALLS + 1} calls`,
    },
  ];
}

async function burstDelays(ann: Person, ben: Person): Promise<number[]> {
  await ben.ask({ op: "sound", sound: "silence" });
  await ann.ask({ op: "sound", sound: "silence" });
  await delay(1_000);
  ann.forget();
  ben.forget();
  await ann.ask({ op: "sound", sound: "bursts" });
  const sent: number[] = [];
  while (sent.length < BURSTS) sent.push(await ann.next("burst-sent"));
  await ann.ask({ op: "sound", sound: "silence" });
  await delay(1_000);
  const heard = ben.all("burst-heard");
  // Each burst with the sound that came before the next one was sent.
  return sent
    .map((at, i) => ({ at, next: sent[i + 1] ?? Number.POSITIVE_INFINITY }))
    .flatMap(({ at, next }) =>
      heard
        .filter((when) => when > at && when < next)
        .slice(0, 1)
        .map((when) => when - at),
    );
}
