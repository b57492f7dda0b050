/** The recovery phrase: the account key's seed as 24 BIP-39 English words. docs/protocol/identity.md section 6. */
import { entropyToMnemonic, mnemonicToEntropy } from "@scure/bip39";
import { wordlist } from "@scure/bip39/wordlists/english.js";
import { accept, refuse, type Result } from "../errors.ts";

export const PHRASE_WORDS = 24;
/** Longer than 24 words of eight letters with generous white space; anything beyond is not a phrase. */
const PHRASE_MAX_LENGTH = 1_024;
/** BIP-39: no two words of the list share their first four letters. */
const DISTINCT_LETTERS = 4;
const WORDS = new Set(wordlist);
const BY_PREFIX = new Map(wordlist.map((word) => [word.slice(0, DISTINCT_LETTERS), word]));

/** The 24 words of a 32-byte seed, lower case, with single spaces. */
export function phraseOf(seed: Uint8Array): string {
  if (seed.length !== 32) throw new RangeError("an account seed has 32 bytes");
  return entropyToMnemonic(seed, wordlist);
}

/**
 * The seed of a phrase in any case, however spaced or numbered ("1. abandon 2. …"); a word may be cut to its first four
 * letters. Refused: `phrase-length`, `phrase-unknown-word` (the detail names the place, from 1), `phrase-mistyped` (checksum).
 */
export function seedOfPhrase(text: string): Result<Uint8Array> {
  if (text.length > PHRASE_MAX_LENGTH) return refuse("phrase-length", "too long");
  const typed = text
    .normalize("NFKD")
    .toLowerCase()
    .split(/[\s,.;:0-9]+/)
    .filter((word) => word !== "");
  if (typed.length !== PHRASE_WORDS) return refuse("phrase-length", `${typed.length} words instead of ${PHRASE_WORDS}`);
  const words = typed.map(wordOf);
  const unknown = words.indexOf(undefined);
  if (unknown >= 0) return refuse("phrase-unknown-word", `word ${unknown + 1} is not in the list`);
  try {
    return accept(mnemonicToEntropy(words.join(" "), wordlist));
  } catch {
    return refuse("phrase-mistyped");
  }
}

function wordOf(typed: string): string | undefined {
  if (WORDS.has(typed)) return typed;
  return typed.length === DISTINCT_LETTERS ? BY_PREFIX.get(typed) : undefined;
}
