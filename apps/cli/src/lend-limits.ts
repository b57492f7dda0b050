/** How much of a node is lent, as typed and as told. */
import type { ConsentLimits } from "@earshot/core";
import { UsageError } from "./usage-error.ts";

export interface TypedLimits {
  readonly clients?: string;
  readonly bandwidth?: string;
  readonly storage?: string;
  readonly hours?: string;
}

const UNITS: Readonly<Record<string, number>> = { b: 1, kb: 1e3, mb: 1e6, gb: 1e9, tb: 1e12 };
const UNIT_NAMES = ["B", "kB", "MB", "GB", "TB"] as const;
const MAX_CLIENTS = 100_000;
const LAST_HOUR = 24;
/** Within what a node takes (consent-store.ts), in round numbers: less is no help to anybody, more is a slip. */
const BANDWIDTH = { least: 2e3, most: 10e9 };
const STORAGE = { least: 2e6, most: 1e12 };

/** `before` with what was typed changed. Throws {@link UsageError}. */
export function limitsWith(before: ConsentLimits, { clients, bandwidth, storage, hours }: TypedLimits): ConsentLimits {
  return {
    ...before,
    ...(clients === undefined ? {} : { maxClients: clientsOf(clients) }),
    ...(bandwidth === undefined ? {} : { maxBytesPerSecond: bytesOf("--bandwidth", bandwidth, BANDWIDTH) }),
    ...(storage === undefined ? {} : { maxStoreBytes: bytesOf("--storage", storage, STORAGE) }),
    ...(hours === undefined ? {} : hoursOf(hours)),
  };
}

function clientsOf(text: string): number {
  const count = Number(text);
  if (!/^\d+$/.test(text) || count < 1 || count > MAX_CLIENTS)
    throw new UsageError(`--clients takes a number from 1 to ${MAX_CLIENTS}, not "${text}".`);
  return count;
}

/** `2MB`, `500 kB`, `1.5GB`: decimal units. */
function bytesOf(option: string, text: string, { least, most }: { least: number; most: number }): number {
  const [, digits = "", unit = ""] = /^([0-9]+(?:\.[0-9]+)?)\s*([kmgt]?b)$/i.exec(text.trim()) ?? [];
  const bytes = Math.round(Number(digits) * (UNITS[unit.toLowerCase()] ?? 0));
  if (digits === "") throw new UsageError(`${option} takes an amount such as 500kB, 2MB or 1GB, not "${text}".`);
  if (bytes < least || bytes > most)
    throw new UsageError(`${option} takes from ${bytesText(least)} to ${bytesText(most)}, not "${text}".`);
  return bytes;
}

/** `22-7`, or `always`. */
function hoursOf(text: string): Pick<ConsentLimits, "fromHour" | "toHour"> {
  if (text === "always") return { fromHour: 0, toHour: LAST_HOUR };
  const [, from = "", to = ""] = /^(\d{1,2})-(\d{1,2})$/.exec(text) ?? [];
  const [fromHour, toHour] = [Number(from) % LAST_HOUR, Number(to)]; // 24-7 is 0-7
  if (from === "" || from === to || Number(from) > LAST_HOUR || toHour > LAST_HOUR || fromHour === toHour)
    throw new UsageError(`--hours takes local hours such as 22-7, or always, not "${text}".`);
  return { fromHour, toHour };
}

/** `1.2 GB` */
export function bytesText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  for (; value >= 1000 && unit < UNIT_NAMES.length - 1; unit++) value /= 1000;
  return `${value >= 100 ? Math.round(value) : Number(value.toFixed(1))} ${UNIT_NAMES[unit]}`;
}

/** The limits in one line. */
export function limitsText({ maxClients, maxBytesPerSecond, maxStoreBytes, fromHour, toHour }: ConsentLimits): string {
  const always = fromHour === 0 && toHour === LAST_HOUR;
  const hours = always ? "at any hour" : `from ${fromHour}:00 to ${toHour}:00`;
  return `at most ${maxClients} people, ${bytesText(maxBytesPerSecond)}/s, ${bytesText(maxStoreBytes)} of storage, ${hours}`;
}
