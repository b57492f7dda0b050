/** What clients do when their node stops, moves or loses its memory. */
import { type RunningNode, startNode } from "@earshot/node";
import { afterEach, expect, it } from "vitest";
import {
  befriend,
  cleanUp,
  makePerson,
  nextRing,
  type Person,
  phase,
  temporaryFolder,
  tone,
  until,
} from "./sdk-people.ts";

const limits = { mailboxWorkBits: 4, requestWorkBits: 4, drainGraceMs: 0, drainRetryAfterMs: 100 };
let node: RunningNode | undefined;
afterEach(async () => {
  await cleanUp();
  await node?.stop();
});

async function start(home: string, port = 0): Promise<RunningNode> {
  node = await startNode({ home, port, limits, runFile: false, edge: "open" });
  return node;
}

const online = ({ client }: Person) => until(client, "status", () => client.status.state === "online");

async function callGoesThrough(from: Person, to: Person): Promise<void> {
  const ring = nextRing(to);
  const call = await from.client.call(to.client.id, { audio: tone(500) });
  await (await ring).answer({ audio: tone(700) });
  await phase(call, "active");
  await call.hangUp();
}

it("come back to a node that was stopped in good order", async () => {
  const home = temporaryFolder();
  const { url, port } = await start(home);
  const [alice, bob] = [await makePerson("Alice", url), await makePerson("Bob", url)];
  await befriend(alice, bob);
  const states: string[] = [];
  alice.client.on("status", ({ state }) => states.push(state));
  await node?.stop();
  await until(alice.client, "status", () => alice.client.status.state === "offline");
  expect(states.slice(0, 2)).toEqual(["draining", "offline"]);
  await start(home, port);
  await Promise.all([online(alice), online(bob)]);
  await callGoesThrough(alice, bob);
});

it("make themselves at home at a node that forgot everything, and find each other there", async () => {
  const { url, port } = await start(temporaryFolder());
  const [alice, bob] = [await makePerson("Alice", url), await makePerson("Bob", url)];
  await befriend(alice, bob);
  const before = alice.client.status.supernode;
  await node?.stop();
  await start(temporaryFolder(), port);
  await Promise.all([online(alice), online(bob)]);
  expect(alice.client.status.supernode).not.toBe(before);
  await callGoesThrough(bob, alice);
});

it("say why where there is no node, and call nobody meanwhile", async () => {
  const { url, port } = await start(temporaryFolder());
  await node?.stop();
  const alice = await makePerson("Alice", url, { start: false });
  void alice.client.start();
  await until(alice.client, "status", () => alice.client.status.state === "offline");
  expect(alice.client.status.problem).toBe("node-unreachable");
  const { id } = (await makePerson("Bob", url, { start: false })).client;
  await expect(alice.client.call(id)).rejects.toMatchObject({ code: "offline" });
  await start(temporaryFolder(), port);
  await online(alice);
});

it("are told that the node wants its token", async () => {
  node = await startNode({ home: temporaryFolder(), limits, runFile: false });
  const alice = await makePerson("Alice", `http://127.0.0.1:${node.port}`, { start: false });
  void alice.client.start();
  await until(alice.client, "status", () => alice.client.status.state === "offline");
  expect(alice.client.status.problem).toBe("node-refused");
});
