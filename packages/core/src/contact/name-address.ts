/**
 * Names that people can say: `ann@example.org`, and what a domain's owner publishes for them. docs/protocol/names.md.
 *
 *   https://example.org/.well-known/earshot.json    { "version": 1, "names": { "ann": "earshot:ear1…" } }
 *   ann._earshot.example.org. TXT                   "earshot1 earshot:ear1…"
 */
import { accept, refuse, type Result } from "../errors.ts";
import { CARD_MAX_LENGTH, decodeCard } from "../identity/card.ts";

export const NAME_MAX_LENGTH = 32;
/** Leaves room for `name._earshot.` within DNS's 253. */
export const NAME_DOMAIN_MAX_LENGTH = 200;
export const NAME_FILE_PATH = "/.well-known/earshot.json";
export const NAME_FILE_MAX_BYTES = 65_536;
/** Strings in a DNS answer for one name, and what all of them may hold. */
export const NAME_TXT_MAX = 16;
const TXT_PREFIX = "earshot1 ";
const TXT_CHUNK = 255;

/** Lower-case ASCII. */
export interface NameAddress {
  readonly name: string;
  readonly domain: string;
}

const NAME = /^[a-z0-9](?:[a-z0-9_-]{0,30}[a-z0-9])?$/;
const DOMAIN = /^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** Whether somebody means a name rather than a card or an id. */
export function looksLikeName(text: string): boolean {
  return text.length <= 2 * NAME_DOMAIN_MAX_LENGTH && /^[^\s@:/?#]+@[^\s@:/?#]+$/.test(text.trim());
}

/**
 * `name@domain`, lower-cased. ASCII only: a domain in another script is taken as its owner registered it (`xn--…`), and is shown so, for
 * look-alikes are then plain to see. Refused: `bad-text`.
 */
export function parseNameAddress(text: string): Result<NameAddress> {
  const trimmed = text.trim();
  const at = trimmed.indexOf("@");
  // toLowerCase may make ASCII out of what is none (the Kelvin sign): such text is refused before.
  if (!/^[\x21-\x7e]+$/.test(trimmed)) return refuse("bad-text", "a name is plain ASCII");
  const [name, domain] = [trimmed.slice(0, at).toLowerCase(), trimmed.slice(at + 1).toLowerCase()];
  if (at < 1 || !NAME.test(name)) return refuse("bad-text", "name");
  if (domain.length > NAME_DOMAIN_MAX_LENGTH || !DOMAIN.test(domain)) return refuse("bad-text", "domain");
  return accept({ name, domain });
}

export function formatNameAddress({ name, domain }: NameAddress): string {
  return `${name}@${domain}`;
}

/** Where its TXT record is. */
export function nameDnsHost({ name, domain }: NameAddress): string {
  return `${name}._earshot.${domain}`;
}

/** What is published under a name: a card's text; its key; undefined: nothing. */
export type Published = { readonly card: string; readonly accountKey: Uint8Array } | undefined;

/**
 * The name's card in the file. Nothing where the text is no such file (a site may answer anything with a page), or does not have the
 * name. Refused: `unknown-version`, `bad-text` (the file is there and what it says of the name is not a card).
 */
export function readNameFile(text: string, name: string): Result<Published> {
  if (text.length > NAME_FILE_MAX_BYTES) return accept(undefined);
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch {
    return accept(undefined);
  }
  const { version, names } = (isObject(file) ? file : {}) as { version?: unknown; names?: unknown };
  if (version === undefined || names === undefined) return accept(undefined);
  if (version !== 1) return refuse("unknown-version", "name file");
  if (!isObject(names)) return refuse("bad-text", "names");
  const card = Object.hasOwn(names, name) ? (names as Record<string, unknown>)[name] : undefined;
  return card === undefined ? accept(undefined) : published(card);
}

/** The card in a name's TXT records, each given as its chunks. Others than Earshot's are passed over. Refused: `bad-text`, `too-many` (two cards). */
export function readNameTxt(records: readonly (readonly string[])[]): Result<Published> {
  const texts = records.map((chunks) => chunks.join("")).filter((text) => text.startsWith(TXT_PREFIX));
  if (texts.length > 1) return refuse("too-many", "TXT records");
  return texts[0] === undefined ? accept(undefined) : published(texts[0].slice(TXT_PREFIX.length));
}

/** What to put into the file, ready to publish. */
export function formatNameFile(names: readonly { readonly name: string; readonly card: string }[]): string {
  return `${JSON.stringify({ version: 1, names: Object.fromEntries(names.map(({ name, card }) => [name, card])) }, null, 2)}\n`;
}

/** A line for a zone file: chunks of at most 255 characters. */
export function formatNameTxt(address: NameAddress, card: string): string {
  const text = TXT_PREFIX + card;
  const chunks = text.match(new RegExp(`.{1,${TXT_CHUNK}}`, "g")) ?? [];
  return `${nameDnsHost(address)}. IN TXT ${chunks.map((chunk) => `"${chunk}"`).join(" ")}`;
}

function published(card: unknown): Result<Published> {
  if (typeof card !== "string" || card.length > CARD_MAX_LENGTH) return refuse("bad-text", "card");
  const decoded = decodeCard(card);
  return decoded.ok ? accept({ card, accountKey: decoded.value.accountKey }) : refuse("bad-text", decoded.code);
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
