/**
 * A bad link between two peer connections of this machine: each is led to take a forwarder's door for the other's address,
 * and the forwarder drops, delays and jitters what goes through. Seeded; only IPv4 host candidates over UDP are let in.
 */
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { SeededRandom } from "../../../packages/testkit/src/seeded-random.ts";

type Factory = (configuration: RTCConfiguration) => RTCPeerConnection;
type EndName = "first" | "second";

/** What the link does to each packet, in both directions. */
export interface Impairment {
  /** Of packets, 0..1; independent of each other. */
  readonly loss: number;
  readonly delayMs: number;
  /** Up to so much more delay, evenly spread; packets stay in order, as on most paths. */
  readonly jitterMs: number;
}

const OTHER = { first: "second", second: "first" } as const;

/** One end: the door that it knows as the other's address, and where it is itself, once the other was told. */
interface End {
  readonly door: Socket;
  port: number;
  address: string;
  lastOutAt: number;
}

export class LossyLink {
  /** May be changed at any time, for one direction or both. */
  readonly impairment: Record<EndName, Impairment>;
  /** Packets from that end that were dropped, and all of them. */
  readonly counts = { first: { dropped: 0, all: 0 }, second: { dropped: 0, all: 0 } };
  readonly #ends: Record<EndName, End>;
  readonly #random: SeededRandom;

  private constructor(ends: Record<EndName, End>, seed: number) {
    this.#ends = ends;
    this.#random = new SeededRandom(seed);
    const none = { loss: 0, delayMs: 0, jitterMs: 0 };
    this.impairment = { first: none, second: none };
    for (const from of ["first", "second"] as const)
      ends[from].door.on("message", (packet: Buffer) => this.#pass(from, packet));
  }

  static async open(seed: number): Promise<LossyLink> {
    const end = async (): Promise<End> => {
      const door = createSocket("udp4");
      door.bind(0);
      await once(door, "listening");
      return { door, port: 0, address: "", lastOutAt: 0 };
    };
    return new LossyLink({ first: await end(), second: await end() }, seed);
  }

  /** Both directions. */
  impair(impairment: Impairment): void {
    this.impairment.first = impairment;
    this.impairment.second = impairment;
  }

  /** Peer connections of that end: the candidates that they are given of the other lead through here. */
  wrap(end: EndName, factory: Factory): Factory {
    return (configuration) => {
      const peer = factory(configuration);
      const add = peer.addIceCandidate.bind(peer);
      peer.addIceCandidate = async (init) => {
        const text = init?.candidate ?? "";
        const led = text === "" ? "" : this.#lead(end, text);
        if (led !== undefined) await add({ ...init, candidate: led });
      };
      return peer;
    };
  }

  close(): void {
    for (const { door } of Object.values(this.#ends)) door.close();
  }

  /** The other's candidate with this end's door for its port; undefined for kinds that do not go this way. */
  #lead(end: EndName, candidate: string): string | undefined {
    const parts = candidate.split(" ");
    const [transport, address, port] = [parts[2]?.toLowerCase(), parts[4] ?? "", Number(parts[5])];
    if (transport !== "udp" || !/^[\d.]+$/.test(address) || parts[7] !== "host") return undefined;
    const other = this.#ends[OTHER[end]];
    if (other.port !== 0 && other.port !== port) return undefined;
    other.port = port;
    other.address = address;
    parts[5] = String(this.#ends[end].door.address().port);
    return parts.join(" ");
  }

  #pass(from: EndName, packet: Buffer): void {
    const to = this.#ends[OTHER[from]];
    const { loss, delayMs, jitterMs } = this.impairment[from];
    const count = this.counts[from];
    count.all += 1;
    if (this.#random.fraction() < loss) {
      count.dropped += 1;
      return;
    }
    if (to.port === 0) return;
    const now = performance.now();
    const outAt = Math.max(to.lastOutAt, now + delayMs + jitterMs * this.#random.fraction());
    to.lastOutAt = outAt;
    setTimeout(() => {
      // Closed meanwhile, or the other's socket is: both are a lost packet.
      try {
        to.door.send(packet, to.port, to.address, () => undefined);
      } catch {}
    }, outAt - now);
  }
}
