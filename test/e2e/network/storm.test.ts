/**
 * Storms, with real processes: the whole fleet is killed and started again, many clients come back at once to the workers of one
 * supernode, and more than it has places for to a promoted one. Nobody tends to anything meanwhile: all come back by themselves, with what
 * lay in their mailboxes, and calls ring.
 */
import {
  ADMISSION_MIN_RETRY_MS,
  DEFAULT_PROMOTION,
  type EdgeSession,
  equalBytes,
  fromHex,
  unwrap,
} from "@earshot/core";
import { nodeTransport } from "@earshot/sdk/node";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { nodeSignatures } from "../../../packages/node/src/crypto.ts";
import { FULL_RETRY_MS } from "../../../packages/node/src/edge/request-handlers.ts";
import { systemClock } from "../../../packages/node/src/system-clock.ts";
import { accepted, randomEnvelope, TestMailbox, testRandom } from "../../../packages/node/src/testing/test-client.ts";
import { EdgeLink } from "../../../packages/sdk/src/edge/edge-link.ts";
import { CallsThroughout } from "../lib/network-calls.ts";
import { areHomed, rings } from "../lib/network-people.ts";
import { eventually, type NodeKind, OverlayNetwork, type OverlayNode } from "../lib/network.ts";
import { befriend, cleanUp, makePerson, type Person } from "../sdk-people.ts";

/** Each client of a node's person is one; one process stands for dozens of people here. */
const MAX_TUNNELS = 200;

/** To start a network and a crowd, on a machine that has much else to do. */
const START_LIMIT_MS = 240_000;

let network: OverlayNetwork;
const lights: Light[] = [];

async function cleanUpAll(): Promise<void> {
  for (const light of lights.splice(0)) light.stop();
  await cleanUp();
  await network.stop();
}

/**
 * A client as far as its supernode sees one: the SDK's own link, through its own node's tunnel, and one mailbox in which an envelope
 * waits that it never acknowledges.
 */
class Light {
  readonly #link: EdgeLink;
  readonly #mailbox = new TestMailbox();
  readonly #envelope = randomEnvelope();
  #isThere = false;
  /** What lies there was pushed on each of these connections. */
  readonly #pushedOn = new Set<EdgeSession>();
  #first: EdgeSession | undefined;
  /** Its mailbox was opened again, and the envelope that lay there was gone. */
  lost = false;
  /** How long it was to wait, each time that it was turned away or dropped. */
  readonly waits: number[] = [];

  constructor(through: OverlayNode | undefined, to: OverlayNode | undefined) {
    if (!through || !to) throw new Error("no such node");
    const url = to.kind === "dedicated" ? `ws://${to.host}:${to.edgePort}/edge` : "";
    const tunnelTo = { supernodeKey: unwrap(fromHex(to.supernodeKey)), dht: "", url };
    this.#link = new EdgeLink(
      { clock: systemClock, random: testRandom, signatures: nodeSignatures, transport: nodeTransport() },
      () => ({ url: through.url, tunnelTo }),
      {
        // Where the connection breaks meanwhile, the next one does it.
        onUp: (session) => void this.#open(session).catch(() => {}),
        onDown: (_problem, retryInMs) => this.waits.push(retryInMs),
        onPush: (event) => {
          const session = this.#link.session;
          const isIt = event.type === "envelope" && equalBytes(event.envelope, this.#envelope);
          if (isIt && session) this.#pushedOn.add(session);
        },
      },
      { expectedKey: () => tunnelTo.supernodeKey },
    );
    this.#link.start();
    lights.push(this);
  }

  /** Connected, and what lies in its mailbox has come. */
  get hasEnvelope(): boolean {
    const { session } = this.#link;
    return session !== undefined && this.#pushedOn.has(session);
  }
  /** The same, on another connection than the first. */
  get cameBack(): boolean {
    return this.hasEnvelope && this.#link.session !== this.#first;
  }
  get session(): EdgeSession | undefined {
    return this.#link.session;
  }
  /** Resolves once one more envelope, handed over on its own connection, has come. */
  async receivesAnother(): Promise<void> {
    const session = this.#link.session as EdgeSession;
    this.#pushedOn.delete(session);
    accepted(await this.#mailbox.deliver({ session }, this.#envelope));
    await eventually("the envelope comes", () => this.#pushedOn.has(session));
  }
  /** Loses its connection and comes back. */
  drop(): void {
    this.waits.length = 0;
    this.#link.renew();
  }
  stop(): void {
    this.#link.stop();
  }

  async #open(session: EdgeSession): Promise<void> {
    const opened = accepted(await this.#mailbox.open({ session }));
    if (this.#isThere) {
      this.lost ||= opened.stored === 0;
      return;
    }
    accepted(await this.#mailbox.registerContact({ session }));
    accepted(await this.#mailbox.deliver({ session }, this.#envelope));
    this.#isThere = true;
    this.#first = session;
  }
}

async function twoFriends(): Promise<[Person, Person]> {
  const [ann, ben] = await Promise.all([0, 1].map((i) => makePerson(`Friend ${i}`, network.clients[i]?.url ?? "")));
  const people = [ann, ben] as [Person, Person];
  await eventually("both are online", () => people.every(({ client }) => client.status.state === "online"));
  await befriend(...people);
  return people;
}

describe("a fleet that is killed at once and started again", () => {
  /** Beside one with a worker, which goes and comes with it. */
  const FLEET: readonly NodeKind[] = ["promoted", "dedicated", "promoted"];
  let ann: Person;
  let ben: Person;
  let supernodes: readonly OverlayNode[];

  beforeAll(async () => {
    network = new OverlayNetwork({ nodes: 2 * (1 + FLEET.length) + 3, limits: { maxTunnels: MAX_TUNNELS } });
    await network.start("dedicated", { workers: 1 });
    await network.startAll([...FLEET, "client", "client", "client"]);
    [ann, ben] = await twoFriends();
    await areHomed([ann, ben], network);
    ({ supernodes } = network);
    for (let i = 0; i < 36; i++) new Light(network.clients[2], supernodes[i % supernodes.length]);
    await eventually("all light clients are in", () => lights.every(({ hasEnvelope }) => hasEnvelope));
  }, START_LIMIT_MS);
  afterAll(cleanUpAll);

  it("is found again by all of its clients, with every mailbox, and calls ring", async () => {
    await rings(ann, ben);
    await Promise.all(supernodes.map((node) => node.kill9()));
    await Promise.all(supernodes.map((node) => network.restart(node)));

    await eventually("all light clients are back", () => lights.every(({ cameBack }) => cameBack));
    await areHomed([ann, ben], network);
    await rings(ann, ben);
    await rings(ben, ann);
    expect(lights.map(({ lost }) => lost)).not.toContain(true);
    expect(network.nodes.every(({ running }) => running)).toBe(true);
  });
});

describe("a crowd that comes back to one supernode at once", () => {
  let ann: Person;
  let ben: Person;
  let crowded: OverlayNode;

  beforeAll(async () => {
    network = new OverlayNetwork({ nodes: 4, limits: { maxTunnels: MAX_TUNNELS } });
    // It alone: whatever is served, it is served by it.
    crowded = await network.start("dedicated", { workers: 2, limits: { handshakes: { perSecond: 4, burst: 4 } } });
    await Promise.all(Array.from({ length: 3 }, () => network.start("client")));
    await network.allKnown();
    [ann, ben] = await twoFriends();
    for (let i = 0; i < 30; i++) new Light(network.clients[2], crowded);
    await eventually("all light clients are in", () => lights.every(({ hasEnvelope }) => hasEnvelope));
  }, START_LIMIT_MS);
  afterAll(cleanUpAll);

  it("is told when to come, while those who are in are served, and gets in", async () => {
    await rings(ann, ben);
    const shedBefore = await shedBy(crowded);
    const calls = new CallsThroughout(ann, ben);
    for (const light of lights) light.drop();
    await eventually("some are turned away", async () => (await shedBy(crowded)) - shedBefore > 10);
    await eventually("all light clients are back", () => lights.every(({ cameBack }) => cameBack));
    await calls.stop();

    expect(calls.failures).toEqual([]);
    expect(calls.rangAfterMs.length).toBeGreaterThanOrEqual(2);
    expect(lights.map(({ lost }) => lost)).not.toContain(true);
    const waits = lights.flatMap((light) => light.waits);
    expect(waits.length).toBeGreaterThan(10);
    // They were told when to come back, and keep to it; on a busy machine one may have been late instead.
    const hasty = waits.filter((waitMs) => waitMs < ADMISSION_MIN_RETRY_MS);
    expect(hasty.length).toBeLessThanOrEqual(waits.length / 10);
    expect(crowded.running).toBe(true);
  });
});

describe("a crowd that comes to a promoted supernode which has few places", () => {
  const PLACES = DEFAULT_PROMOTION.startClients;
  const TOO_MANY = 15;
  let promoted: OverlayNode;

  beforeAll(async () => {
    network = new OverlayNetwork({ nodes: 3, limits: { maxTunnels: MAX_TUNNELS } });
    await network.start("dedicated");
    promoted = await network.start("promoted", { serve: PLACES });
    await network.start("client");
    await network.allKnown();
    for (let i = 0; i < PLACES; i++) new Light(network.clients[0], promoted);
    await eventually("those for whom there is a place are in", () => lights.every(({ hasEnvelope }) => hasEnvelope));
  }, START_LIMIT_MS);
  afterAll(cleanUpAll);

  it("is told when to come, and takes nobody's place", async () => {
    const home = lights.slice();
    const sessions = home.map(({ session }) => session);
    const crowd = Array.from({ length: TOO_MANY }, () => new Light(network.clients[0], promoted));
    await eventually("all others are turned away", () => crowd.every(({ waits }) => waits.length > 0));

    expect(crowd.map(({ hasEnvelope }) => hasEnvelope)).not.toContain(true);
    expect(Math.min(...crowd.flatMap(({ waits }) => waits))).toBeGreaterThanOrEqual(FULL_RETRY_MS);
    expect(await shedBy(promoted)).toBeGreaterThanOrEqual(TOO_MANY);
    expect(home.map(({ session }) => session)).toEqual(sessions);
    await Promise.all(home.map((light) => light.receivesAnother()));
    expect((await promoted.report()).capacity).toMatchObject({ clients: PLACES, maxClients: PLACES });
  });
});

async function shedBy(node: OverlayNode): Promise<number> {
  return (await node.metrics()).get('earshot_edge_handshakes_total{outcome="shed"}') ?? 0;
}
