/** Calls between every two kinds of network: a lab with one site for each kind and side, and a person at each. */
import { type Cell, callOnce } from "./cell.ts";
import { NatLab } from "./lab.ts";
import { LabNode } from "./lab-node.ts";
import { startCoturn } from "./lab-coturn.ts";
import { LabRelay } from "./lab-relay.ts";
import { canBeDirect, type NatMode } from "./nat-modes.ts";
import { befriend, Person } from "./person.ts";

/** Programs that load at once: each takes a core for more than a second. */
const LOADING_MAX = 3;

export class Matrix {
  readonly #lab: NatLab;
  readonly #node: LabNode;
  readonly #callers = new Map<NatMode, Person>();
  readonly #callees = new Map<NatMode, Person>();
  readonly #friends = new Set<string>();

  private constructor(lab: NatLab, node: LabNode) {
    this.#lab = lab;
    this.#node = node;
  }

  /** With callers and callees in these kinds of network, and a relay unless `relay` is false: the node's own kind, or coturn. */
  static async start(
    callers: readonly NatMode[],
    callees: readonly NatMode[],
    relay: boolean | "coturn" = true,
  ): Promise<Matrix> {
    const lab = await NatLab.make();
    try {
      const matrix = new Matrix(lab, await LabNode.start(lab));
      const started = relay && (await (relay === "coturn" ? startCoturn(lab) : LabRelay.start(lab)));
      const sides = [
        ...callers.map((mode) => ({ mode, people: matrix.#callers, name: `caller, ${mode}` })),
        ...callees.map((mode) => ({ mode, people: matrix.#callees, name: `callee, ${mode}` })),
      ];
      for (let i = 0; i < sides.length; i += LOADING_MAX)
        await Promise.all(
          sides.slice(i, i + LOADING_MAX).map(async ({ mode, people, name }) => {
            const access = started ? [started.access()] : [];
            people.set(mode, await Person.start(await lab.addSite(mode), name, matrix.#node.url, ...access));
          }),
        );
      return matrix;
    } catch (error) {
      lab.stop();
      throw error;
    }
  }

  /** One call. */
  async call(from: NatMode, to: NatMode): Promise<Cell> {
    const [caller, callee] = [this.#callers.get(from), this.#callees.get(to)];
    if (!caller || !callee) throw new Error(`nobody was started for ${from} to ${to}`);
    if (!this.#friends.has(`${from} ${to}`)) await befriend(caller, callee);
    this.#friends.add(`${from} ${to}`);
    return callOnce(caller, callee, canBeDirect(from, to));
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#callers.values(), ...this.#callees.values()].map((person) => person.stop()));
    await this.#node.stop();
    this.#lab.stop();
  }
}
