/** Many volunteers at once, each with its own view of one network. */
import { expect, test } from "vitest";
import { loadOf, type VisibleSupernode } from "./promotion-observation.ts";
import { alike, HOUR, MINUTE, TracedNode } from "./testing/promotion-trace.ts";

const STEP_MS = 60_000;
const SEEN_STEPS_LATER = 4;

interface Dedicated {
  count: number;
  clients: number;
  maxClients: number;
}

/** All step together; what one does is seen by the others `SEEN_STEPS_LATER` later, as descriptors are. */
class Volunteers {
  readonly nodes: TracedNode[];
  readonly #delayed: (readonly (VisibleSupernode & { readonly of: TracedNode | undefined })[])[] = [];
  dedicated: Dedicated;
  readonly #clients: number;

  constructor(count: number, dedicated: Dedicated) {
    this.nodes = Array.from({ length: count }, (_, i) => new TracedNode(1_000 + i));
    this.dedicated = dedicated;
    this.#clients = dedicated.clients;
  }

  get serving(): TracedNode[] {
    return this.nodes.filter(({ state }) => state.role === "serving");
  }

  run(forMs: number): void {
    for (let elapsed = 0; elapsed < forMs; elapsed += STEP_MS) {
      const share = Math.min(1, this.load);
      const { count, maxClients } = this.dedicated;
      this.#delayed.push([
        ...alike(count, maxClients * share, maxClients).map((one) => ({ ...one, of: undefined })),
        ...this.serving.map((of) => ({ clients: clientsOf(of, share), maxClients: of.state.maxClients, of })),
      ]);
      const seen = this.#delayed.at(-SEEN_STEPS_LATER) ?? this.#delayed[0] ?? [];
      for (const node of this.nodes) {
        node.seen = { ...node.seen, others: seen.filter(({ of }) => of !== node), clients: clientsOf(node, share) };
        node.step(STEP_MS);
      }
    }
  }

  get load(): number {
    const places = this.dedicated.maxClients + this.serving.reduce((sum, { state }) => sum + state.maxClients, 0);
    return loadOf({ clients: this.#clients, maxClients: places });
  }
}

/** 0 unless it serves. */
function clientsOf({ state }: TracedNode, share: number): number {
  return Math.floor(state.maxClients * share);
}

test("a hundred volunteers that see one need: a few serve, and the need is met", () => {
  const all = new Volunteers(100, { count: 10, clients: 900, maxClients: 1_000 });
  all.run(8 * HOUR);
  expect(all.load).toBeLessThanOrEqual(0.7);
  expect(all.serving.length).toBeGreaterThan(5);
  expect(all.serving.length).toBeLessThan(40);
});

test("a hundred volunteers of a network without a supernode: some begin, most wait", () => {
  const all = new Volunteers(100, { count: 0, clients: 0, maxClients: 0 });
  all.run(8 * HOUR);
  expect(all.serving.length).toBeGreaterThanOrEqual(4);
  expect(all.serving.length).toBeLessThan(40);
});

test("one volunteer alone that is needed does not wait long for its draw", () => {
  const all = new Volunteers(1, { count: 2, clients: 10, maxClients: 200 });
  all.run(4 * HOUR);
  expect(all.serving.length).toBe(1);
});

test("the dedicated ones go and come back: volunteers take over, then step down bit by bit, and none flaps", () => {
  const all = new Volunteers(60, { count: 10, clients: 500, maxClients: 1_000 });
  all.run(6 * HOUR);
  expect(all.serving.length).toBe(0);
  all.dedicated = { count: 1, clients: 500, maxClients: 100 };
  all.run(12 * HOUR);
  expect(all.load).toBeLessThanOrEqual(0.7);
  const most = all.serving.length;
  all.dedicated = { count: 12, clients: 500, maxClients: 4_000 };
  let fastest = 0;
  for (let halfHours = 0; halfHours < 96; halfHours++) {
    const before = all.serving.length;
    all.run(30 * MINUTE);
    fastest = Math.max(fastest, before - all.serving.length);
  }
  expect(all.serving.length).toBeLessThan(most / 4);
  expect(fastest).toBeLessThan(most);
  expect(all.load).toBeLessThan(0.7);
  for (const node of all.nodes) expect(node.count("serve")).toBeLessThanOrEqual(3);
});
