/** `name@domain` to a card, for the person whose node this is. docs/protocol/names.md section 3. */
import {
  type Clock,
  equalBytes,
  formatNameAddress,
  type NameAddress,
  nameDnsHost,
  parseNameAddress,
  type Published,
  readNameFile,
  readNameTxt,
  type Result,
  TokenBucket,
} from "@earshot/core";
import { BoundedMap } from "../store/bounded-map.ts";
import { fetchNameFile, type NameFileOptions } from "./name-file.ts";
import { type NameTxtOptions, resolveNameTxt } from "./name-txt.ts";

/** How long an answer is used again, … */
export const NAME_CACHE_MS = 600_000;
/** … and one that there is nothing, or that nothing could be had: somebody may be publishing it just now. */
export const NAME_MISS_CACHE_MS = 30_000;
/** Answers kept; each is at most a card. */
const MAX_CACHED = 256;
/** Look-ups at once. */
const MAX_RUNNING = 16;
/** A person adds a few names; contacts are looked at again every few hours. Whoever holds the token could otherwise have the web scanned from here. */
const RATE = { perSecond: 0.5, burst: 60 };

/** `malformed`: no such address can be. `not-found`: neither file nor record has it. `unreachable`: neither could be asked. `refused`: what is there is no card. `conflict`: file and record name different people. */
export type NameError =
  | "name-malformed"
  | "name-not-found"
  | "name-unreachable"
  | "name-refused"
  | "name-conflict"
  | "rate-limited";

export type NameAnswer = { readonly card: string } | { readonly error: NameError; readonly message: string };

export interface NameResolverParts {
  readonly clock: Clock;
  readonly file: NameFileOptions;
  readonly txt?: NameTxtOptions;
}

const MESSAGES: Readonly<Record<NameError, string>> = {
  "name-malformed": "A name looks like ann@example.org: letters, digits, - and _, at a domain.",
  "name-not-found": "The domain names nobody of that name.",
  "name-unreachable": "The domain cannot be asked now.",
  "name-refused": "What the domain publishes under that name is no Earshot card.",
  "name-conflict":
    "The domain's file and its DNS record name two different people. One of them is wrong: ask its owner.",
  "rate-limited": "Too many names were looked up. Try again in a minute.",
};

export class NameResolver {
  readonly #parts: NameResolverParts;
  readonly #cache = new BoundedMap<{ readonly answer: NameAnswer; readonly until: number }>(MAX_CACHED);
  readonly #running = new Map<string, Promise<NameAnswer>>();
  readonly #bucket: TokenBucket;

  constructor(parts: NameResolverParts) {
    this.#parts = parts;
    this.#bucket = new TokenBucket(RATE, parts.clock.now());
  }

  /** Never rejects. */
  async resolve(text: string): Promise<NameAnswer> {
    const parsed = parseNameAddress(text);
    if (!parsed.ok) return failed("name-malformed");
    const address = formatNameAddress(parsed.value);
    const cached = this.#cache.get(address);
    const now = this.#parts.clock.now();
    // A clock set back must not make an answer hold for longer.
    if (cached && cached.until > now && cached.until <= now + NAME_CACHE_MS) return cached.answer;
    const running = this.#running.get(address);
    if (running) return running;
    if (this.#running.size >= MAX_RUNNING || !this.#bucket.tryTake(now)) return failed("rate-limited");
    const asked = this.#ask(parsed.value).then((answer) => {
      const keptMs = "card" in answer ? NAME_CACHE_MS : NAME_MISS_CACHE_MS;
      this.#cache.set(address, { answer, until: this.#parts.clock.now() + keptMs });
      return answer;
    });
    this.#running.set(address, asked);
    return asked.finally(() => this.#running.delete(address));
  }

  /** Both at once: the file holds where both say the same, the record where there is no file. */
  async #ask(address: NameAddress): Promise<NameAnswer> {
    const { file: fileOptions, txt: txtOptions = {} } = this.#parts;
    const [text, records] = await Promise.all([
      fetchNameFile(address.domain, fileOptions),
      resolveNameTxt(nameDnsHost(address), txtOptions),
    ]);
    const file: Result<Published> = typeof text === "string" ? readNameFile(text, address.name) : NOTHING;
    const txt: Result<Published> = records ? readNameTxt(records) : NOTHING;
    if (!file.ok) return failed("name-refused");
    if (!txt.ok) return failed(txt.code === "too-many" ? "name-conflict" : "name-refused");
    const [one, other] = [file.value, txt.value];
    if (one && other && !equalBytes(one.accountKey, other.accountKey)) return failed("name-conflict");
    const found = one ?? other;
    if (found) return { card: found.card };
    return failed(text === undefined || records === undefined ? "name-unreachable" : "name-not-found");
  }
}

const NOTHING = { ok: true, value: undefined } as const;

function failed(error: NameError): NameAnswer {
  return { error, message: MESSAGES[error] };
}
