/** The daemon's own keys, in its home folder. docs/operating.md, "Files". */
import { createHmac } from "node:crypto";
import { join } from "node:path";
import { publicKeyOf, x25519PublicKey } from "@earshot/core";
import { loadOrCreateSecret } from "./private-file.ts";

export interface NodeSecrets {
  /** Ed25519 seed of the supernode key. */
  readonly supernodeSeed: Uint8Array;
  readonly supernodeKey: Uint8Array;
  /** X25519 secret of the hop key. */
  readonly hopSecret: Uint8Array;
  readonly hopKey: Uint8Array;
  /** What keeps other local users and pages out: base64url of 32 bytes. */
  readonly token: string;
  /** This node's half of a browser's wrapping key: HMAC-SHA256(node secret, salt). */
  keyHalf(salt: Uint8Array): Buffer;
}

/** Reads the secrets under `home`, making those that are missing. */
export function loadNodeSecrets(home: string): NodeSecrets {
  const folder = join(home, "node");
  const supernodeSeed = loadOrCreateSecret(join(folder, "supernode.key"));
  const hopSecret = loadOrCreateSecret(join(folder, "hop.key"));
  const wrapSecret = loadOrCreateSecret(join(folder, "wrap.key"));
  return {
    supernodeSeed,
    supernodeKey: publicKeyOf(supernodeSeed),
    hopSecret,
    hopKey: x25519PublicKey(hopSecret),
    token: loadOrCreateSecret(join(folder, "token")).toString("base64url"),
    keyHalf: (salt) => createHmac("sha256", wrapSecret).update("earshot key half 1").update(salt).digest(),
  };
}
