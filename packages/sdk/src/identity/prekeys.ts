import {
  accept,
  asArray,
  asBytes,
  asUint,
  asVersioned,
  CLOCK_SKEW_MS,
  CONTACT_PREKEY_COUNT,
  CONTACT_PREKEY_PERIOD_MS,
  decodePrekey,
  type HpkeKeyPair,
  MAX_PREKEYS_PER_DEVICE,
  PREKEY_BYTES,
  PREKEY_ID_BYTES,
  type Prekey,
  PUBLIC_PREKEY_COUNT,
  PUBLIC_PREKEY_PERIOD_MS,
  prekeyDeletionTime,
  ReplayCache,
  signPrekey,
  toHex,
  unwrap,
  x25519PublicKey,
} from "@earshot/core";
import { Stored, type StoredCodec } from "../state/stored.ts";
import type { Identity, IdentityPorts } from "./identity.ts";

/** `public`: for strangers, a week each. `contact`: a day each. */
export type PrekeyKind = "public" | "contact";

/** A prekey with its private half. */
export interface HeldPrekey {
  readonly kind: PrekeyKind;
  readonly prekey: Prekey;
  readonly secret: Uint8Array;
  /** The 120 bytes that go into bundles. */
  readonly signed: Uint8Array;
}

const SCHEDULE = {
  public: { periodMs: PUBLIC_PREKEY_PERIOD_MS, count: PUBLIC_PREKEY_COUNT },
  contact: { periodMs: CONTACT_PREKEY_PERIOD_MS, count: CONTACT_PREKEY_COUNT },
} as const;
/** About 20 are alive at a time; the replay cache takes 64. */
const MAX_HELD = 64;
const KINDS: readonly PrekeyKind[] = ["public", "contact"];

/** `[1, [[kind, secret, signed 120]…]]`; a prekey that no longer decodes refuses the whole. */
export const prekeysCodec: StoredCodec<readonly HeldPrekey[]> = {
  encode: (held) => [1, held.map(({ kind, secret, signed }) => [KINDS.indexOf(kind), secret, signed])],
  decode(value) {
    const [, list] = asVersioned(value, 2);
    const held: HeldPrekey[] = [];
    for (const item of asArray(list, [0, MAX_HELD])) {
      const [kind, secret, signed] = asArray(item, 3);
      const bytes = asBytes(signed, PREKEY_BYTES);
      const prekey = decodePrekey(bytes);
      if (!prekey.ok) return prekey;
      held.push({
        kind: KINDS[asUint(kind, 1)] as PrekeyKind,
        secret: asBytes(secret, 32),
        signed: bytes,
        prekey: prekey.value,
      });
    }
    return accept(held);
  },
};

/** This device's prekeys: made ahead, found by id, deleted in time together with the memory of what came under them. */
export class Prekeys {
  readonly replays = new ReplayCache();
  readonly #ports: IdentityPorts;
  readonly #identity: Identity;
  readonly #stored: Stored<readonly HeldPrekey[]>;
  #held: readonly HeldPrekey[] = [];
  #pairs = new Map<string, HpkeKeyPair>();

  private constructor(ports: IdentityPorts, identity: Identity) {
    this.#ports = ports;
    this.#identity = identity;
    this.#stored = new Stored(ports.storage, "prekeys", prekeysCodec);
  }

  static async load(ports: IdentityPorts, identity: Identity): Promise<Prekeys> {
    const prekeys = new Prekeys(ports, identity);
    prekeys.#keep((await prekeys.#stored.load()) ?? []);
    for (const { prekey } of prekeys.#held) {
      const memory = await ports.storage.get(replayKey(prekey.id));
      if (memory) unwrap(prekeys.replays.restore(prekey.id, memory));
    }
    await prekeys.rotate();
    return prekeys;
  }

  /**
   * Makes the coming periods' prekeys, `more` public ones besides, and deletes those that nothing can arrive under any more.
   * True if any were made.
   */
  async rotate(more = 0): Promise<boolean> {
    const now = this.#ports.clock.now();
    const live = this.#held.filter(({ prekey }) => prekeyDeletionTime(prekey) > now);
    const dead = this.#held.filter((held) => !live.includes(held));
    const fresh: HeldPrekey[] = [];
    for (const kind of KINDS) {
      const periodMs = SCHEDULE[kind].periodMs;
      const count = SCHEDULE[kind].count + (kind === "public" ? more : 0);
      const first = Math.floor(now / periodMs);
      for (let period = first; period < first + count; period++) {
        if (!live.some((held) => held.kind === kind && covers(held.prekey, period, periodMs))) {
          fresh.push(await this.#make(kind, period, periodMs));
        }
      }
    }
    if (fresh.length === 0 && dead.length === 0) return false;
    const held = withinLimit([...live, ...fresh]);
    await this.#stored.save(held);
    this.#keep(held);
    for (const { prekey } of [...live, ...dead].filter((each) => !held.includes(each))) {
      this.replays.forget(prekey.id);
      await this.#ports.storage.delete(replayKey(prekey.id));
    }
    return fresh.length > 0;
  }

  /**
   * The signed prekeys that a bundle of this kind lists now: those of the coming periods, and one whose time just ends. What a
   * clock that was ahead once made for later stays here until its time.
   */
  signed(kind: PrekeyKind): Uint8Array[] {
    return this.#listed(kind, SCHEDULE[kind].count);
  }

  /** Public ones for 35 days from now on, made first where they are missing: one more than usual, for this week has begun. */
  async signedAhead(): Promise<Uint8Array[]> {
    await this.rotate(1);
    const now = this.#ports.clock.now();
    const period = Math.floor(now / PUBLIC_PREKEY_PERIOD_MS);
    // Last week's, which the skew of clocks keeps in use for minutes, would take the place of the last one.
    return this.#listed("public", PUBLIC_PREKEY_COUNT + 1, endOf(period, PUBLIC_PREKEY_PERIOD_MS));
  }

  #listed(kind: PrekeyKind, count: number, after = 0): Uint8Array[] {
    const now = this.#ports.clock.now();
    const { periodMs } = SCHEDULE[kind];
    const last = Math.floor(now / periodMs) + count;
    return this.#held
      .filter(
        ({ kind: of, prekey }) =>
          of === kind && prekey.until > Math.max(now, after) && prekey.until <= endOf(last, periodMs),
      )
      .toSorted((a, b) => a.prekey.from - b.prekey.from)
      .slice(0, MAX_PREKEYS_PER_DEVICE)
      .map((held) => held.signed);
  }

  find(id: Uint8Array): HpkeKeyPair | undefined {
    return this.#pairs.get(toHex(id));
  }

  /** Makes what was admitted under this prekey durable. */
  async persistReplays(prekeyId: Uint8Array): Promise<void> {
    await this.#ports.storage.set(replayKey(prekeyId), this.replays.serialize(prekeyId, this.#ports.clock.now()));
  }

  async #make(kind: PrekeyKind, period: number, periodMs: number): Promise<HeldPrekey> {
    const { random, signatures } = this.#ports;
    const secret = random.bytes(32);
    // Wider than its period by the skew of honest clocks at both ends, so that the turn of the day leaves no gap.
    const prekey = {
      id: random.bytes(PREKEY_ID_BYTES),
      publicKey: x25519PublicKey(secret),
      from: period * periodMs - CLOCK_SKEW_MS,
      until: endOf(period + 1, periodMs),
    };
    const { accountKey, deviceSeed, deviceKey } = this.#identity;
    const signed = await signPrekey(signatures, accountKey, deviceSeed, deviceKey, prekey);
    return { kind, secret, signed, prekey };
  }

  #keep(held: readonly HeldPrekey[]): void {
    this.#held = held;
    this.#pairs = new Map(
      held.map(({ prekey, secret }) => [toHex(prekey.id), { secret, publicKey: prekey.publicKey }]),
    );
  }
}

/** Without those for the furthest future, where a clock has jumped about so often that there are too many. */
function withinLimit(held: readonly HeldPrekey[]): readonly HeldPrekey[] {
  return held.toSorted((a, b) => a.prekey.from - b.prekey.from).slice(0, MAX_HELD);
}

/** Until when the prekey of the period before this one is used. */
function endOf(period: number, periodMs: number): number {
  return period * periodMs + CLOCK_SKEW_MS;
}

function covers(prekey: Prekey, period: number, periodMs: number): boolean {
  return prekey.from <= period * periodMs && prekey.until >= (period + 1) * periodMs;
}

function replayKey(prekeyId: Uint8Array): string {
  return `replay/${toHex(prekeyId)}`;
}
