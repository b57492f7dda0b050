/** One allocation (RFC 8656 section 3): a UDP port, those it may talk to, and what is left of its limits. */
import {
  CHANNEL_HEADER_BYTES,
  type Clock,
  encodeChannelData,
  encodeStun,
  encodeXorAddress,
  type StunAddress,
  TokenBucket,
  TURN_DATA,
  TURN_DATA_ATTRIBUTE,
  TURN_XOR_PEER_ADDRESS,
} from "@earshot/core";
import { addressBytes } from "../prefix.ts";
import { addressText } from "./peer-policy.ts";
import type { RelayFamily, RelaySocket, TurnClient } from "./relay-ports.ts";
import type { TurnLimits } from "./turn-limits.ts";

/** RFC 8656 sections 9 and 12. */
const PERMISSION_MS = 300_000;
const CHANNEL_MS = 600_000;

interface Permission {
  expiresAt: number;
  /** By the peer's port. */
  readonly channels: Map<number, Channel>;
}

interface Channel {
  readonly number: number;
  readonly to: string;
  readonly port: number;
  readonly permission: Permission;
  expiresAt: number;
}

export interface AllocationOptions {
  readonly client: TurnClient;
  readonly username: string;
  readonly key: Buffer;
  readonly family: RelayFamily;
  readonly limits: TurnLimits;
  readonly clock: Clock;
  /** Of all allocations. */
  readonly total: TokenBucket;
  /** What was relayed, and what was dropped: why. */
  onPacket(outcome: PacketOutcome, bytes: number): void;
  /** It used up what it may relay. */
  onSpent(): void;
}

export type PacketOutcome = "to-peer" | "to-client" | "no-permission" | "over-limit";

/** Its answer to a request that changes it; the numbers are STUN's. */
export type Change = "done" | 400 | 508;

export class Allocation {
  readonly client: TurnClient;
  readonly username: string;
  readonly key: Buffer;
  readonly family: RelayFamily;
  readonly createdAt: number;
  expiresAt = 0;
  #socket: RelaySocket | undefined;
  readonly #options: AllocationOptions;
  /** By the peer's address. */
  readonly #permissions = new Map<string, Permission>();
  readonly #channels = new Map<number, Channel>();
  readonly #rate: TokenBucket;
  #bytes = 0;
  #indications = 0;

  constructor(options: AllocationOptions) {
    this.#options = options;
    this.client = options.client;
    this.username = options.username;
    this.key = options.key;
    this.family = options.family;
    this.createdAt = options.clock.now();
    this.#rate = new TokenBucket(options.limits.bytesPerAllocation, this.createdAt);
  }

  /** Hands it its port, once that is open. */
  open(socket: RelaySocket): void {
    this.#socket = socket;
    socket.onRelayed = (data, from, port) => this.#receive(data, from, port);
  }

  get relayed(): StunAddress | undefined {
    return this.#socket?.address;
  }

  close(): void {
    this.#socket?.close();
    this.#socket = undefined;
    this.#permissions.clear();
    this.#channels.clear();
  }

  /** All of them, or none where there is no room for all. */
  permit(peers: readonly Uint8Array[]): Change {
    const now = this.#options.clock.now();
    const names = [...new Set(peers.map(addressText))];
    this.#forgetExpired(now);
    const added = names.filter((name) => !this.#permissions.has(name)).length;
    if (this.#permissions.size + added > this.#options.limits.maxPeersPerAllocation) return 508;
    for (const name of names) this.#permit(name, now);
    return "done";
  }

  /** A number belongs to one peer and a peer to one number. */
  bind(number: number, peer: StunAddress): Change {
    const now = this.#options.clock.now();
    this.#forgetExpired(now);
    const to = addressText(peer.address);
    const known = this.#channels.get(number);
    if (known !== undefined && !(known.to === to && known.port === peer.port)) return 400;
    const other = this.#permissions.get(to)?.channels.get(peer.port);
    if (other !== undefined && other.number !== number) return 400;
    const { maxPeersPerAllocation, maxChannelsPerAllocation } = this.#options.limits;
    if (!this.#permissions.has(to) && this.#permissions.size >= maxPeersPerAllocation) return 508;
    if (known === undefined && this.#channels.size >= maxChannelsPerAllocation) return 508;
    const permission = this.#permit(to, now);
    const channel = known ?? { number, to, port: peer.port, permission, expiresAt: 0 };
    channel.expiresAt = now + CHANNEL_MS;
    permission.channels.set(peer.port, channel);
    this.#channels.set(number, channel);
    return "done";
  }

  /** A Send indication. */
  sendTo(peer: StunAddress, data: Uint8Array): void {
    const to = addressText(peer.address);
    const permission = this.#permissions.get(to);
    if (permission === undefined) return this.#options.onPacket("no-permission", data.length);
    this.#send(permission, data, to, peer.port);
  }

  /** A ChannelData message. */
  sendOn(number: number, data: Uint8Array): void {
    const channel = this.#channels.get(number);
    if (channel === undefined || channel.expiresAt <= this.#options.clock.now())
      return this.#options.onPacket("no-permission", data.length);
    this.#send(channel.permission, data, channel.to, channel.port);
  }

  /** What came to its port. */
  #receive(data: Uint8Array, from: string, port: number): void {
    const now = this.#options.clock.now();
    const permission = this.#permissions.get(from);
    if (permission === undefined || permission.expiresAt <= now)
      return this.#options.onPacket("no-permission", data.length);
    if (!this.#mayRelay(now, data.length)) return;
    const { client } = this.#options;
    const channel = permission.channels.get(port);
    const bound = channel !== undefined && channel.expiresAt > now;
    client.send(
      bound
        ? encodeChannelData(channel.number, data, client.isStream, Buffer.allocUnsafe)
        : dataIndication(data, { address: addressBytes(from), port }, this.#nextId()),
    );
    this.#options.onPacket("to-client", data.length);
  }

  #send(permission: Permission, data: Uint8Array, to: string, port: number): void {
    const now = this.#options.clock.now();
    if (permission.expiresAt <= now) return this.#options.onPacket("no-permission", data.length);
    if (!this.#mayRelay(now, data.length)) return;
    this.#socket?.send(data, to, port);
    this.#options.onPacket("to-peer", data.length);
  }

  #mayRelay(now: number, length: number): boolean {
    const bytes = length + CHANNEL_HEADER_BYTES;
    const { limits, total, onPacket, onSpent } = this.#options;
    if (this.#bytes + bytes > limits.maxBytesPerAllocation) {
      onPacket("over-limit", length);
      onSpent();
      return false;
    }
    if (!this.#rate.tryTake(now, bytes) || !total.tryTake(now, bytes)) {
      onPacket("over-limit", length);
      return false;
    }
    this.#bytes += bytes;
    return true;
  }

  #permit(name: string, now: number): Permission {
    let permission = this.#permissions.get(name);
    if (permission === undefined) this.#permissions.set(name, (permission = { expiresAt: 0, channels: new Map() }));
    permission.expiresAt = now + PERMISSION_MS;
    return permission;
  }

  /** A channel outlives its permission, which a new ChannelBind brings back. */
  #forgetExpired(now: number): void {
    for (const [number, { expiresAt, permission, port }] of this.#channels) {
      if (expiresAt > now) continue;
      this.#channels.delete(number);
      permission.channels.delete(port);
    }
    for (const [name, { expiresAt, channels }] of this.#permissions)
      if (expiresAt <= now && channels.size === 0) this.#permissions.delete(name);
  }

  /** Of an indication, that nobody answers: unique is enough. */
  #nextId(): Uint8Array {
    const id = new Uint8Array(12);
    new DataView(id.buffer).setUint32(8, ++this.#indications);
    return id;
  }
}

function dataIndication(data: Uint8Array, peer: StunAddress, transactionId: Uint8Array): Uint8Array {
  const attributes = [
    { type: TURN_XOR_PEER_ADDRESS, value: encodeXorAddress(peer, transactionId) },
    { type: TURN_DATA_ATTRIBUTE, value: data },
  ];
  return encodeStun({ type: TURN_DATA, transactionId, attributes, hasFingerprint: false });
}
