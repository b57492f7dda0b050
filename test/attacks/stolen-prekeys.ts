/**
 * An attacker who has stolen a device's prekeys: it reads every envelope to the device, and seals whatever it likes to it.
 * What it does not have is anybody's signing key but its own.
 */
import {
  accept,
  asArray,
  asBytes,
  asVersioned,
  type CallPacket,
  concat,
  createHpkeReceiver,
  createHpkeSender,
  decodeCallPacket,
  encodeCallPacket,
  type HpkeKeyPair,
  hpkeKeyPair,
  issueCertificate,
  nobleBackend,
  publicKeyOf,
  readCbor,
  toHex,
  unwrap,
  utf8,
} from "@earshot/core";
import { type Storage, systemClock, systemRandom } from "@earshot/sdk";

const INFO = utf8("earshot envelope 1");
const DOMAIN = utf8("EARSHOT-ENVELOPE-1");
const HEADER_BYTES = 42;
const SIGNATURE_BYTES = 64;
/** Where the fields lie in an envelope's content: docs/protocol/envelope.md section 1. */
const AT = { account: 0, device: 32, certificate: 64, kind: 204, body: 205 };
const KIND_CALL = 4;
const DAY_MS = 86_400_000;

/** An envelope as the thief sees it. */
export interface ReadEnvelope {
  readonly header: Uint8Array;
  readonly unsigned: Uint8Array;
  readonly signature: Uint8Array;
  readonly packet: CallPacket | undefined;
}

/**
 * How the thief signs what it altered.
 * - `kept`: the sender's own signature, over what it was.
 * - `own-key`: in the sender's name, with the thief's key.
 * - `own-device`: in the sender's account's name, by a device of the thief's, with the sender's certificate.
 * - `own-account`: in the thief's own name, all in order.
 * - `stolen-key`: with the sender's device key, which was stolen as well.
 */
export type Signing = "kept" | "own-key" | "own-device" | "own-account" | "stolen-key";

export class StolenPrekeys {
  readonly #pairs: ReadonlyMap<string, HpkeKeyPair>;
  readonly #victim: { readonly account: Uint8Array; readonly device: Uint8Array };
  readonly #accountSeed = systemRandom.bytes(32);
  #deviceSeed = systemRandom.bytes(32);

  private constructor(pairs: ReadonlyMap<string, HpkeKeyPair>, account: Uint8Array, device: Uint8Array) {
    this.#pairs = pairs;
    this.#victim = { account, device };
  }

  /** Reads them off the device's storage, as malware that was there for a moment would. */
  static async from(storage: Storage, account: Uint8Array, device: Uint8Array): Promise<StolenPrekeys> {
    const stored = (await storage.get("prekeys")) ?? new Uint8Array();
    const pairs = readCbor(stored, (value) => {
      const entries = asArray(asVersioned(value, 2)[1], [1, 64]).map((item): [string, HpkeKeyPair] => {
        const [, secret, signed] = asArray(item, 3);
        return [toHex(asBytes(signed, 120).subarray(0, 8)), hpkeKeyPair(asBytes(secret, 32))];
      });
      return accept(new Map(entries));
    });
    return new StolenPrekeys(unwrap(pairs), account, device);
  }

  /** Takes a sender's device key along, for `stolen-key`. */
  async takeSigningKey(storage: Storage): Promise<void> {
    const stored = (await storage.get("identity")) ?? new Uint8Array();
    this.#deviceSeed = unwrap(readCbor(stored, (value) => accept(asBytes(asVersioned(value, 6)[2], 32))));
  }

  async read(envelope: Uint8Array): Promise<ReadEnvelope> {
    const header = envelope.slice(0, HEADER_BYTES);
    const hpke = unwrap(await createHpkeReceiver(this.#pairOf(header), header.slice(10), INFO));
    const plaintext = unwrap(await hpke.open(envelope.subarray(HEADER_BYTES), header));
    const length = new DataView(plaintext.buffer, plaintext.byteOffset).getUint16(0);
    const content = plaintext.slice(2, 2 + length);
    const unsigned = content.subarray(0, -SIGNATURE_BYTES);
    const isCall = unsigned[AT.kind] === KIND_CALL;
    const packet = isCall ? unwrap(decodeCallPacket(unsigned.slice(AT.body))) : undefined;
    return { header, unsigned, signature: content.subarray(-SIGNATURE_BYTES), packet };
  }

  /** An envelope to the same prekey with another packet in it. */
  async seal(read: ReadEnvelope, packet: CallPacket, signing: Signing): Promise<Uint8Array> {
    const hpke = await createHpkeSender(systemRandom, this.#pairOf(read.header).publicKey, INFO);
    const header = concat(read.header.subarray(0, 10), hpke.enc);
    const claims = await this.#claims(read.unsigned.slice(0, AT.kind), signing);
    // A fresh message id, so that nothing but the signature stands in the way.
    claims.set(systemRandom.bytes(16), AT.kind - 16);
    const unsigned = concat(claims, read.unsigned.subarray(AT.kind, AT.body), encodeCallPacket(packet));
    const signed = concat(DOMAIN, header, this.#victim.account, this.#victim.device, unsigned);
    const signature = signing === "kept" ? read.signature : await nobleBackend.sign(this.#deviceSeed, signed);
    const size = [512, 2_048, 8_192].find((each) => each >= unsigned.length + SIGNATURE_BYTES + HEADER_BYTES + 18) ?? 0;
    const plaintext = new Uint8Array(size - HEADER_BYTES - 16);
    new DataView(plaintext.buffer).setUint16(0, unsigned.length + SIGNATURE_BYTES);
    plaintext.set(concat(unsigned, signature), 2);
    return concat(header, await hpke.seal(plaintext, header));
  }

  async #claims(claims: Uint8Array, signing: Signing): Promise<Uint8Array> {
    if (signing !== "own-device" && signing !== "own-account") return claims;
    const device = publicKeyOf(this.#deviceSeed);
    claims.set(device, AT.device);
    if (signing === "own-device") return claims;
    const now = systemClock.now();
    const certificate = await issueCertificate(nobleBackend, this.#accountSeed, device, now - DAY_MS, now + DAY_MS);
    claims.set(certificate.accountKey, AT.account);
    const view = new DataView(claims.buffer, claims.byteOffset);
    view.setBigUint64(AT.certificate, BigInt(certificate.notBefore));
    view.setBigUint64(AT.certificate + 8, BigInt(certificate.notAfter));
    claims.set(certificate.signature, AT.certificate + 16);
    return claims;
  }

  #pairOf(header: Uint8Array): HpkeKeyPair {
    const pair = this.#pairs.get(toHex(header.subarray(2, 10)));
    if (!pair) throw new Error("a prekey that was not stolen");
    return pair;
  }
}
