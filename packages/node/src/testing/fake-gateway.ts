/** For tests: a home router that opens ports by PCP and NAT-PMP, honest or not. */
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";

export type Spoken = "pcp" | "nat-pmp";

/** Changes an answer before it leaves, or gives other datagrams instead. */
type Twist = (answer: Uint8Array, request: Uint8Array) => readonly Uint8Array[];

export class FakeGateway {
  speaks: readonly Spoken[] = ["pcp", "nat-pmp"];
  externalAddress = "8.8.4.4";
  /** Gives the external port; 0 refuses. */
  give: (internalPort: number) => number = (port) => port;
  lifetimeSeconds = 7_200;
  twist: Twist = (answer) => [answer];
  /** `udp/4000` and so on, each with its external port. */
  readonly mappings = new Map<string, number>();
  requests = 0;
  readonly #now: () => number;
  #startedAt: number;
  #socket: Socket | undefined;

  /** `now`: milliseconds. */
  constructor(now: () => number = Date.now) {
    this.#now = now;
    this.#startedAt = now();
  }

  /** It loses everything, and its clock begins anew. */
  restart(): void {
    this.#startedAt = this.#now();
    this.mappings.clear();
  }

  /** Datagrams that come back for one. */
  answer(request: Uint8Array): readonly Uint8Array[] {
    this.requests++;
    const answer = request[0] === 2 ? this.#answerPcp(Buffer.from(request)) : this.#answerNatPmp(Buffer.from(request));
    return answer === undefined ? [] : this.twist(answer, request);
  }

  /** Over UDP, at that loopback address. Gives the port. */
  async listen(host: string): Promise<number> {
    const socket = createSocket("udp4");
    this.#socket = socket;
    socket.on("message", (request, from) => {
      for (const answer of this.answer(request)) socket.send(answer, from.port, from.address);
    });
    socket.bind(0, host);
    await once(socket, "listening");
    return socket.address().port;
  }

  close(): void {
    this.#socket?.close();
  }

  get #epoch(): number {
    return Math.floor((this.#now() - this.#startedAt) / 1_000);
  }

  /** Gives the external port; 0 where it refuses, or has removed it. */
  #map(protocol: string, internal: number, lifetime: number): number {
    const name = `${protocol}/${internal}`;
    if (lifetime === 0) this.mappings.delete(name);
    const external = lifetime === 0 ? 0 : this.give(internal);
    if (external !== 0) this.mappings.set(name, external);
    return external;
  }

  #answerPcp(request: Buffer): Uint8Array | undefined {
    if (!this.speaks.includes("pcp")) return this.speaks.length > 0 ? this.#versionRefused(request) : undefined;
    const answer = Buffer.concat([request]);
    const lifetime = request.readUInt32BE(4);
    const external = this.#map(request[36] === 17 ? "udp" : "tcp", request.readUInt16BE(40), lifetime);
    const hasFailed = lifetime > 0 && external === 0;
    answer.fill(0, 2, 24);
    answer[1] = 129;
    answer[3] = hasFailed ? 2 : 0;
    answer.writeUInt32BE(lifetime === 0 ? 0 : this.lifetimeSeconds, 4);
    answer.writeUInt32BE(this.#epoch, 8);
    answer.writeUInt16BE(external, 42);
    answer.set([0xff, 0xff, ...this.#addressBytes()], 54);
    return answer;
  }

  #versionRefused(request: Buffer): Uint8Array {
    const answer = Buffer.alloc(8);
    answer[1] = 128 + (request[1] ?? 0);
    answer.writeUInt16BE(1, 2);
    answer.writeUInt32BE(this.#epoch, 4);
    return answer;
  }

  #answerNatPmp(request: Buffer): Uint8Array | undefined {
    if (!this.speaks.includes("nat-pmp")) return undefined;
    const op = request[1] ?? 0;
    const answer = Buffer.alloc(op === 0 ? 12 : 16);
    answer[1] = 128 + op;
    answer.writeUInt32BE(this.#epoch, 4);
    if (op === 0) {
      answer.set(this.#addressBytes(), 8);
      return answer;
    }
    const internal = request.readUInt16BE(4);
    const lifetime = request.readUInt32BE(8);
    const external = this.#map(op === 1 ? "udp" : "tcp", internal, lifetime);
    answer.writeUInt16BE(lifetime > 0 && external === 0 ? 2 : 0, 2);
    answer.writeUInt16BE(internal, 8);
    answer.writeUInt16BE(external, 10);
    answer.writeUInt32BE(lifetime === 0 ? 0 : this.lifetimeSeconds, 12);
    return answer;
  }

  #addressBytes(): number[] {
    return this.externalAddress.split(".").map(Number);
  }
}
