/** Ed25519 by `node:crypto` (OpenSSL): several times faster than portable code, which is what a supernode lives on. */
import { base64urlnopad } from "@scure/base";
import { equalBytes } from "../bytes.ts";
import type { SignatureBackend } from "../ports.ts";
import { KEY_BYTES, publicKeyOf } from "./ed25519.ts";
import { x25519PublicKey } from "./x25519.ts";

/** RFC 8037. Measured: Node imports a JWK about five times faster than DER. (A type: Node's own has an index signature.) */
type OkpJwk = {
  kty: "OKP";
  crv: "Ed25519" | "X25519";
  x: string;
  d?: string;
};

/** What is used of `node:crypto`, which core may not import: hand in the module. */
export interface NodeCryptoPort<Key> {
  createPublicKey(input: { key: OkpJwk; format: "jwk" }): Key;
  createPrivateKey(input: { key: OkpJwk; format: "jwk" }): Key;
  sign(algorithm: null, data: Uint8Array, key: NoInfer<Key>): Uint8Array;
  verify(algorithm: null, data: Uint8Array, key: NoInfer<Key>, signature: Uint8Array): boolean;
  diffieHellman(keys: { privateKey: NoInfer<Key>; publicKey: NoInfer<Key> }): Uint8Array;
}

/** OpenSSL's verify is the cofactorless equation with R compared as bytes, so R needs no check of ours. */
export function nodeCryptoBackend<Key>(node: NodeCryptoPort<Key>): SignatureBackend {
  const publicKey = (crv: OkpJwk["crv"], raw: Uint8Array) =>
    node.createPublicKey({ key: { kty: "OKP", crv, x: base64urlnopad.encode(raw) }, format: "jwk" });
  const privateKey = (crv: OkpJwk["crv"], raw: Uint8Array, x: Uint8Array) => {
    const key: OkpJwk = { kty: "OKP", crv, x: base64urlnopad.encode(x), d: base64urlnopad.encode(raw) };
    return node.createPrivateKey({ key, format: "jwk" });
  };
  const signingKey = remember((seed) => privateKey("Ed25519", seed, publicKeyOf(seed)));
  const agreementKey = remember((scalar) => privateKey("X25519", scalar, x25519PublicKey(scalar)));
  return {
    name: "node",
    checkR: false,
    sign: (seed, message) => Uint8Array.from(node.sign(null, message, signingKey(seed))),
    verify: (key, message, signature) =>
      key.length === KEY_BYTES && node.verify(null, message, publicKey("Ed25519", key), signature),
    x25519: (scalar, u) => node.diffieHellman({ privateKey: agreementKey(scalar), publicKey: publicKey("X25519", u) }),
  };
}

/** A process uses few secrets again and again (its own key, its hop key, the scalar that checks points); reading one in costs more than using it. */
const REMEMBERED_SECRETS = 8;

function remember<Key>(make: (secret: Uint8Array) => Key): (secret: Uint8Array) => Key {
  const known: { readonly secret: Uint8Array; readonly key: Key }[] = [];
  return (secret) => {
    const found = known.find((entry) => equalBytes(entry.secret, secret));
    if (found) return found.key;
    const key = make(secret);
    known.unshift({ secret: Uint8Array.from(secret), key });
    if (known.length > REMEMBERED_SECRETS) known.pop();
    return key;
  };
}
