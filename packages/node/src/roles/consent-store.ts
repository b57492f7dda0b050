/** What this node's person allows: home/node/consent.json, readable by them alone. Without a word from them nothing is lent. */
import { join } from "node:path";
import type { ConsentLimits, NodeConsent } from "@earshot/core";
import { makePrivateFolder, readPrivateFile, writePrivateFile } from "../home/private-file.ts";

const MIB = 1024 * 1024;

/** Proposed to who has not answered yet. */
export const DEFAULT_CONSENT_LIMITS: ConsentLimits = {
  maxClients: 200,
  maxBytesPerSecond: MIB,
  maxStoreBytes: 256 * MIB,
  fromHour: 0,
  toHour: 24,
};

/** Bounds of what may be allowed: beyond them a number is a mistake. */
export type Bounds<Limits> = { readonly [Name in keyof Limits]: readonly [least: number, most: number] };

const BOUNDS: Bounds<ConsentLimits> = {
  maxClients: [1, 100_000],
  maxBytesPerSecond: [1_024, 10_000 * MIB],
  maxStoreBytes: [MIB, 1_000_000 * MIB],
  fromHour: [0, 23],
  toHour: [0, 24],
};

export interface KeptConsent extends NodeConsent {
  /** Unix ms; 0 where it never was. */
  readonly givenAt: number;
  /** When its person last asked it to step down; 0 for never. */
  readonly askedAt: number;
}

const NO_CONSENT: KeptConsent = {
  given: false,
  askedBefore: false,
  limits: DEFAULT_CONSENT_LIMITS,
  givenAt: 0,
  askedAt: 0,
};

export class ConsentStore {
  readonly #path: string;
  #kept: KeptConsent;

  /** Throws EarshotError `file-not-private` or `home-unusable`. A file that says nothing sensible is no consent. */
  constructor(home: string) {
    makePrivateFolder(join(home, "node"));
    this.#path = join(home, "node", "consent.json");
    this.#kept = parseConsent(readPrivateFile(this.#path)?.toString("utf8"));
  }

  get current(): KeptConsent {
    return this.#kept;
  }

  /**
   * Their answer. A yes is kept before it counts, and ends the rest that they asked for; a no counts at once. Throws where it cannot
   * be kept, as on a full disk.
   */
  set(given: boolean, limits: ConsentLimits, now: number): void {
    const answered = { ...this.#kept, given, askedBefore: true, limits };
    this.#keep(given ? { ...answered, givenAt: now, askedAt: 0 } : answered);
  }

  /** They want this node to step down now, and it counts at once. Throws where that cannot be kept. */
  stepDown(now: number): void {
    this.#keep({ ...this.#kept, askedAt: now });
  }

  /** What lends less needs no file to count. */
  #keep(consent: KeptConsent): void {
    const isYes = consent.given && consent.askedAt === 0;
    if (!isYes) this.#kept = consent;
    writePrivateFile(this.#path, `${JSON.stringify(consent)}\n`);
    this.#kept = consent;
  }
}

/** Limits as a person may set them; undefined where one is out of bounds, not whole, or the hours are none. */
export function parseConsentLimits(value: unknown): ConsentLimits | undefined {
  const limits = parseLimits(value, BOUNDS);
  return limits?.fromHour === limits?.toHour ? undefined : limits;
}

/** Whole numbers within their bounds, and nothing besides; undefined where one is not. */
export function parseLimits<Limits>(value: unknown, bounds: Bounds<Limits>): Limits | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const given = value as Record<string, unknown>;
  const numbers: Record<string, number> = {};
  for (const [name, [least, most]] of Object.entries<readonly [number, number]>(bounds)) {
    const number = given[name];
    if (typeof number !== "number" || !Number.isInteger(number) || number < least || number > most) return undefined;
    numbers[name] = number;
  }
  return numbers as Limits;
}

function parseConsent(text: string | undefined): KeptConsent {
  if (text === undefined) return NO_CONSENT;
  try {
    const { given, askedBefore, limits, givenAt, askedAt } = JSON.parse(text) as Record<string, unknown>;
    const checked = parseConsentLimits(limits);
    if (checked === undefined || !isTime(givenAt) || !isTime(askedAt)) return NO_CONSENT;
    return { given: given === true, askedBefore: askedBefore === true, limits: checked, givenAt, askedAt };
  } catch {
    return NO_CONSENT;
  }
}

const isTime = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value) && value >= 0;
