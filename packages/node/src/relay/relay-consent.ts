/** Whether this node's person lets it relay calls: home/node/relay.json, readable by them alone. Without a word from them it does not. */
import { join } from "node:path";
import type { RelayLending, RelayLimits } from "@earshot/core";
import { makePrivateFolder, readPrivateFile, writePrivateFile } from "../home/private-file.ts";
import { type Bounds, parseLimits } from "../roles/consent-store.ts";
import { DEFAULT_TURN_LIMITS } from "./turn-limits.ts";

const MIB = 1024 * 1024;

/** Proposed to who has not answered yet: room for some thirty voice calls. */
export const DEFAULT_RELAY_LIMITS: RelayLimits = { maxAllocations: 60, maxBytesPerSecond: MIB };

/** Bounds of what may be allowed. A voice call takes some 12 kB a second, an allocation one of the system's ports. */
const BOUNDS: Bounds<RelayLimits> = {
  maxAllocations: [1, 400],
  maxBytesPerSecond: [16 * 1_024, 10_000 * MIB],
};

export type RelayConsent = Pick<RelayLending, "given" | "limits">;

const NO_CONSENT: RelayConsent = { given: false, limits: DEFAULT_RELAY_LIMITS };

/** What a relay runs by: its owner's word, which they may change, or that of the operator who started it so. */
export interface RelayWord {
  readonly current: RelayConsent;
  set?(given: boolean, limits: RelayLimits): void;
}

export const OPERATORS_WORD: RelayWord = {
  current: {
    given: true,
    limits: {
      maxAllocations: DEFAULT_TURN_LIMITS.maxAllocations,
      maxBytesPerSecond: DEFAULT_TURN_LIMITS.bytesTotal.perSecond,
    },
  },
};

export class RelayConsentStore implements RelayWord {
  readonly #path: string;
  #kept: RelayConsent;

  /** Throws EarshotError `file-not-private` or `home-unusable`. A file that says nothing sensible is no consent. */
  constructor(home: string) {
    makePrivateFolder(join(home, "node"));
    this.#path = join(home, "node", "relay.json");
    this.#kept = parseConsent(readPrivateFile(this.#path)?.toString("utf8"));
  }

  get current(): RelayConsent {
    return this.#kept;
  }

  /** A yes is kept before it counts; a no counts at once. Throws where it cannot be kept, as on a full disk. */
  set(given: boolean, limits: RelayLimits): void {
    const answered = { given, limits };
    if (!given) this.#kept = answered;
    writePrivateFile(this.#path, `${JSON.stringify(answered)}\n`);
    this.#kept = answered;
  }
}

/** Limits as a person may set them; undefined where one is out of bounds or not whole. */
export function parseRelayLimits(value: unknown): RelayLimits | undefined {
  return parseLimits(value, BOUNDS);
}

function parseConsent(text: string | undefined): RelayConsent {
  if (text === undefined) return NO_CONSENT;
  try {
    const { given, limits } = JSON.parse(text) as Record<string, unknown>;
    const checked = parseRelayLimits(limits);
    return checked === undefined ? NO_CONSENT : { given: given === true, limits: checked };
  } catch {
    return NO_CONSENT;
  }
}
