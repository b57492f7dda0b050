/** For tests: DHT nodes that do what their operator should not, on HyperDHT itself, so without our guards. */
import { randomBytes } from "node:crypto";
import { type Address, DHT_COMMANDS, encodeMessage, HyperDHT, messages, type Request } from "../backbone/hyperdht.ts";

/**
 * `silent`: answers nothing about records. `hides`: says that it took what it drops, that there is nothing, and names only its
 * accomplices. `stale`: keeps the first record of a key and gives it for ever. `slow`: takes its time. `forges`: gives
 * records of the highest seq with signatures that are none. `bloats`: gives values that nobody may have signed. `crowds`:
 * answers whoever looks for supernodes with {@link HostileDht.crowd}; as to records it is honest.
 */
export type Hostility = "silent" | "hides" | "stale" | "slow" | "forges" | "bloats" | "crowds";

export interface NamedPeer {
  readonly publicKey: Buffer;
  readonly relayAddresses: Address[];
}

export const SLOW_ANSWER_MS = 2_500;
const LARGEST_SEQ = Number.MAX_SAFE_INTEGER;

export class HostileDht extends HyperDHT {
  readonly hostility: Hostility;
  /** What it was asked of records, by command. */
  readonly asked: number[] = [];
  /** All of them, itself among them; those that hide name no others. */
  accomplices: readonly HostileDht[] = [];
  #told: object | undefined;
  /** Whom it names as supernodes. */
  crowd: () => readonly NamedPeer[] = () => [];

  constructor(hostility: Hostility, host: string, bootstrap: Address[]) {
    super({ host, port: [0, 0], bootstrap, ephemeral: false, firewalled: false });
    this.hostility = hostility;
  }

  /** Also for those who ask for nodes alone, which HyperDHT answers by itself. */
  override _onrequest(request: Request, external: boolean): void {
    if (this.hostility === "hides") this.#nameAccomplices();
    super._onrequest(request, external);
  }

  override onrequest(request: Request): boolean {
    const isPut = request.command === DHT_COMMANDS.mutablePut;
    const isGet = request.command === DHT_COMMANDS.mutableGet;
    if (this.hostility === "crowds" && request.command === DHT_COMMANDS.lookup) return this.#giveCrowd(request);
    if (!isPut && !isGet) return super.onrequest(request);
    this.asked.push(request.command);
    switch (this.hostility) {
      case "silent":
        return true;
      case "crowds":
        return super.onrequest(request);
      case "hides":
        break;
      case "slow":
        setTimeout(() => this.destroyed || super.onrequest(request), SLOW_ANSWER_MS);
        return true;
      case "stale":
        if (isGet || !this.#has(request)) return super.onrequest(request);
        break;
      case "forges":
      case "bloats":
        if (isGet) return this.#giveForgery(request);
    }
    request.reply(null);
    return true;
  }

  #has({ target }: Request): boolean {
    return target !== null && (this._persistent?.mutables.get(target.toString("hex")) ?? null) !== null;
  }

  #giveForgery(request: Request): true {
    const value = randomBytes(this.hostility === "bloats" ? 1_100 : 1_000);
    const forged = { seq: LARGEST_SEQ, value, signature: randomBytes(64) };
    request.reply(encodeMessage(messages.mutableGetResponse, forged));
    return true;
  }

  #giveCrowd(request: Request): true {
    this.asked.push(request.command);
    const peers = this.crowd().map((peer) => encodeMessage(messages.peer, peer));
    // HyperDHT encodes what it has encoded already.
    request.reply(encodeMessage(messages.lookupRawReply, { peers: peers as never, bump: 0 }));
    return true;
  }

  /** A node gets another table when it learns its address: each has to be told. */
  #nameAccomplices(): void {
    const { table } = this;
    if (this.#told === table || this.accomplices.length === 0) return;
    this.#told = table;
    table.closest = (target, most = 20) => this.#accompliceClosest(target, most);
  }

  #accompliceClosest(target: Buffer, most: number): ReturnType<HyperDHT["table"]["closest"]> {
    const nodes = this.accomplices.flatMap(({ id, host, port }) =>
      id && host !== null ? [{ id, host, port, prev: null, next: null, seen: 0 }] : [],
    );
    const distance = (id: Buffer) => id.readUInt32BE(0) ^ target.readUInt32BE(0);
    return nodes.sort((a, b) => (distance(a.id) >>> 0) - (distance(b.id) >>> 0)).slice(0, most);
  }
}

/** Joined, and known at its address. */
export async function startHostileDht(hostility: Hostility, host: string, bootstrap: Address[]): Promise<HostileDht> {
  const dht = new HostileDht(hostility, host, bootstrap);
  await dht.fullyBootstrapped();
  return dht;
}
