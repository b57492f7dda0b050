/** Two people in two terminals, with a node of their own, and real voices. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Cli, type Running } from "./cli-process.ts";
import { readWav } from "./lib/sound.ts";
import { speech } from "./lib/speech.ts";
import { voiceMatch } from "./lib/voice-match.ts";

const cli = new Cli();
let node: string;
let daemon: Running;

/** The options of somebody with a home folder of their own. */
const as = (name: string) => ["--home", cli.path(name), "--node", node];

beforeAll(async () => {
  daemon = cli.start("start", "--port", "0", "--no-echo", "--home", cli.path("daemon"), "--json");
  node = String((await daemon.event(({ event }) => event === "started")).node);
});
afterAll(() => cli.cleanUp());

/** `a` and `b` add each other's cards, each command a process that ends before the next. */
async function befriend(a: string, b: string): Promise<{ idA: string; idB: string }> {
  const cardA = await cli.json("id", ...as(a));
  const cardB = await cli.json("id", ...as(b));
  await cli.json("contacts", "add", String(cardB.card), "--name", b, ...as(a));
  await cli.json("contacts", "add", String(cardA.card), "--name", a, ...as(b));
  return { idA: String(cardA.id), idB: String(cardB.id) };
}

describe("a call between two terminals", () => {
  let answering: Awaited<Running["finished"]>;
  let calling: Awaited<Running["finished"]>;
  const recorded = { byAnn: cli.path("by-ann.wav"), byBen: cli.path("by-ben.wav") };

  beforeAll(async () => {
    const { idB } = await befriend("ann", "ben");
    const answer = cli.start(
      "answer",
      ...as("ben"),
      "--play",
      speech("ben").path,
      "--record",
      recorded.byBen,
      "--json",
    );
    await answer.event(({ event }) => event === "waiting");
    const call = cli.start(
      "call",
      idB,
      ...as("ann"),
      "--play",
      speech("ann").path,
      "--record",
      recorded.byAnn,
      "--seconds",
      "12",
      "--json",
    );
    [answering, calling] = await Promise.all([answer.finished, call.finished]);
  });

  test("begins as soon as each has added the other's card, and ends well on both sides", () => {
    expect(calling.code, calling.stdout + calling.stderr).toBe(0);
    expect(answering.code, answering.stdout + answering.stderr).toBe(0);
    expect(calling.events.at(-1)).toMatchObject({ event: "end", reason: "hung-up", exitCode: 0 });
    const phases = calling.events.filter(({ event }) => event === "phase").map(({ phase }) => phase);
    // One who answers at once answers before the ring is told.
    expect(phases.filter((phase) => phase !== "ringing")).toEqual(["dialling", "connecting", "active", "ended"]);
  });

  test("each hears the other and nobody else", () => {
    const ann = speech("ann").sound;
    const ben = speech("ben").sound;
    const heardByAnn = readWav(recorded.byAnn);
    const heardByBen = readWav(recorded.byBen);
    expect(voiceMatch(heardByAnn, ben).median).toBeGreaterThan(0.8);
    expect(voiceMatch(heardByAnn, ann).median).toBeLessThan(0.2);
    expect(voiceMatch(heardByBen, ann).median).toBeGreaterThan(0.8);
    expect(voiceMatch(heardByBen, ben).median).toBeLessThan(0.2);
  });

  test("both see the same words, and a direct path", () => {
    const words = (of: typeof calling) => of.events.find(({ event }) => event === "words")?.words;
    expect(words(calling)).toHaveLength(4);
    expect(words(calling)).toEqual(words(answering));
    const path = calling.events.filter(({ event }) => event === "path").at(-1);
    expect(path).toMatchObject({ kind: "direct", protocol: "udp", confirmed: true, missingCandidates: 0 });
  });
});

test("Ctrl-C hangs up: both end well and the recording is whole", async () => {
  const { idB } = await befriend("carol", "dave");
  const record = cli.path("by-dave.wav");
  const answer = cli.start("answer", ...as("dave"), "--record", record, "--json");
  await answer.event(({ event }) => event === "waiting");
  const call = cli.start("call", idB, ...as("carol"), "--play", speech("cleo").path, "--json");
  await answer.event(({ event }) => event === "stats");
  await answer.event((event) => Number(event.packetsReceived) > 100);
  call.process.kill("SIGINT");
  const [answered, called] = await Promise.all([answer.finished, call.finished]);
  expect([called.code, answered.code]).toEqual([0, 0]);
  const end = answered.events.at(-1) as { recorded: { seconds: number } };
  expect(readWav(record).samples.length / 48_000).toBeCloseTo(end.recorded.seconds, 1);
});

test("a call that nobody takes can be called off, and is told to who missed it", async () => {
  const { idA, idB } = await befriend("erin", "frank");
  const call = cli.start("call", idB, ...as("erin"), "--json");
  await call.event(({ phase }) => phase === "dialling");
  call.process.kill("SIGINT");
  expect((await call.finished).code).toBe(130);
  const { events } = await cli.run("answer", ...as("frank"), "--wait", "1", "--json");
  expect(events).toContainEqual(expect.objectContaining({ event: "missed", contactId: idA }));
});

test("without a card from the other side there is no call, and the exit code says so", async () => {
  await cli.json("id", ...as("gina"));
  const stranger = String((await cli.json("id", ...as("hugo"))).card);
  const { code, events } = await cli.run("call", stranger, ...as("gina"), "--json");
  expect(code).toBe(4);
  expect(events.at(-1)).toMatchObject({ event: "error", code: "waiting-for-contact" });
  const { requests } = (await cli.json("contacts", ...as("hugo"))) as { requests?: { id: string }[] };
  expect(requests).toHaveLength(1);
});

test("a home folder serves one command at a time", async () => {
  const answer = cli.start("answer", ...as("gina"), "--json");
  await answer.event(({ event }) => event === "waiting");
  expect((await cli.run("contacts", ...as("gina"))).code).toBe(7);
  answer.process.kill("SIGTERM");
  expect((await answer.finished).code).toBe(130);
});

test("who waits for a call goes on waiting when the node was restarted, and can be called", async () => {
  const { idB } = await befriend("iris", "jack");
  const answer = cli.start("answer", ...as("jack"), "--json");
  await answer.event(({ event }) => event === "waiting");
  daemon.process.kill("SIGKILL");
  await daemon.finished;
  await answer.event(({ event, online }) => event === "node" && online === false);
  daemon = cli.start("start", "--port", new URL(node).port, "--no-echo", "--home", cli.path("daemon"), "--json");
  await answer.event(({ event, online }) => event === "node" && online === true);
  const call = await cli.run("call", idB, ...as("iris"), "--seconds", "1", "--json");
  expect([call.code, (await answer.finished).code]).toEqual([0, 0]);
});

test("when nobody calls in time, answer gives up", async () => {
  expect((await cli.run("answer", ...as("gina"), "--wait", "0.2")).code).toBe(5);
});
