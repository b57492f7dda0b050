/**
 * Which network a node belongs to. Everybody's open network is built in; a private one comes from a JSON file (mode 0600,
 * since its key is a secret): `{"name","key":hex,"bootstrap":["host:port"],"supernodes"?:["wss://host/edge#key"],"prefixLimits":true|false}`.
 */
import { randomBytes } from "node:crypto";
import { EarshotError, isNodeUrl, NETWORK_KEY_BYTES, OPEN_NETWORK_KEY, type SupernodeRef, toHex } from "@earshot/core";

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

export interface NetworkConfig {
  /** For people. */
  readonly name: string;
  /** 32 bytes; a secret where the network is private. */
  readonly key: Uint8Array;
  readonly private: boolean;
  /** DHT nodes to join through. Empty: HyperDHT's own in the open network; nobody in a private one (the first node). */
  readonly bootstrap: readonly HostPort[];
  /** Supernodes with a URL to begin from: the only way in where UDP is blocked. Each counts once its welcome is signed by its key. */
  readonly supernodes: readonly SupernodeRef[];
  /** One node per address and two per /24 in tables and answers, and quotas per prefix. Off for loopback and labs. */
  readonly prefixLimits: boolean;
}

const MAX_NAME_LENGTH = 48;
export const MAX_BOOTSTRAP = 16;
/** As many as are dialled in a round of discovery. */
export const MAX_NAMED_SUPERNODES = 16;
/** A config file has a few lines. */
const MAX_FILE_BYTES = 8_192;

/** Everybody's: its key is public, it only keeps networks apart. */
export const OPEN_NETWORK: NetworkConfig = {
  name: "open",
  key: OPEN_NETWORK_KEY,
  private: false,
  bootstrap: [],
  supernodes: [],
  prefixLimits: true,
};

/** A private network with a fresh key. Throws EarshotError `network-invalid`. */
export function createNetworkConfig(options: {
  name: string;
  bootstrap?: readonly string[];
  supernodes?: readonly string[];
  prefixLimits?: boolean;
}): NetworkConfig {
  const { name, bootstrap = [], supernodes = [], prefixLimits = true } = options;
  return checked({ name, key: randomBytes(NETWORK_KEY_BYTES).toString("hex"), bootstrap, supernodes, prefixLimits });
}

/** The file's text. Without supernodes it says nothing of them: nodes from before there were any refuse what they don't know. */
export function formatNetworkConfig({ name, key, bootstrap, supernodes, prefixLimits }: NetworkConfig): string {
  const hosts = bootstrap.map(({ host, port }) => `${host}:${port}`);
  const named = supernodes.length === 0 ? {} : { supernodes: supernodes.map(formatNamedSupernode) };
  return `${JSON.stringify({ name, key: toHex(key), bootstrap: hosts, ...named, prefixLimits }, null, 2)}\n`;
}

/** `wss://host/edge#key`: what {@link parseNamedSupernode} takes apart. */
export function formatNamedSupernode({ url, supernodeKey }: Pick<SupernodeRef, "url" | "supernodeKey">): string {
  return `${url}#${toHex(supernodeKey)}`;
}

/** An edge URL and, after a #, the supernode's key in hex; undefined where it is no such text. */
export function parseNamedSupernode(text: string): SupernodeRef | undefined {
  const [, url = "", key = ""] = /^([^#]*\/edge)#([0-9a-f]{64})$/i.exec(text) ?? [];
  return isNodeUrl(url) ? { supernodeKey: Uint8Array.from(Buffer.from(key, "hex")), dht: "", url } : undefined;
}

/** Reads a private network's file. Throws EarshotError `network-invalid`, whose message says what to mend. */
export function parseNetworkConfig(text: string): NetworkConfig {
  if (text.length > MAX_FILE_BYTES) throw invalid(`it is longer than ${MAX_FILE_BYTES} bytes`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw invalid("it is no JSON");
  }
  return checked(value);
}

/** `host:port` with an IPv4 address or a host name; undefined where it is neither. */
export function parseHostPort(text: string): HostPort | undefined {
  const [, host = "", digits] = /^([a-z0-9][a-z0-9.-]{0,252}):([0-9]{1,5})$/i.exec(text) ?? [];
  const port = Number(digits);
  return port > 0 && port < 65_536 ? { host, port } : undefined;
}

function checked(value: unknown): NetworkConfig {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw invalid("it must be a JSON object");
  const { name, key, bootstrap = [], supernodes = [], prefixLimits = true, ...rest } = value as Record<string, unknown>;
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) throw invalid(`nothing is known of "${unknown.slice(0, 40)}": take it out`);
  if (typeof name !== "string" || name.length < 1 || name.length > MAX_NAME_LENGTH)
    throw invalid(`"name" must be a text of 1 to ${MAX_NAME_LENGTH} characters`);
  if (typeof key !== "string" || !/^[0-9a-f]{64}$/i.test(key))
    throw invalid('"key" must be 64 hex digits, as earshot network create makes them');
  if (typeof prefixLimits !== "boolean") throw invalid('"prefixLimits" must be true or false');
  const bytes = Uint8Array.from(Buffer.from(key, "hex"));
  const hosts = checkedList("bootstrap", bootstrap, MAX_BOOTSTRAP, parseHostPort, "host:port");
  const named = checkedList("supernodes", supernodes, MAX_NAMED_SUPERNODES, parseNamedSupernode, "wss://host/edge#key");
  return { name, key: bytes, private: true, bootstrap: hosts, supernodes: named, prefixLimits };
}

function checkedList<T>(
  field: string,
  value: unknown,
  most: number,
  parse: (text: string) => T | undefined,
  form: string,
): T[] {
  if (!Array.isArray(value) || value.length > most)
    throw invalid(`"${field}" must be a list of at most ${most} texts ${form}`);
  return value.map((entry) => {
    const parsed = typeof entry === "string" ? parse(entry) : undefined;
    if (!parsed) throw invalid(`"${field}" holds ${JSON.stringify(entry).slice(0, 80)}: write ${form}`);
    return parsed;
  });
}

function invalid(reason: string): EarshotError {
  return new EarshotError("network-invalid", `the network file cannot be used: ${reason}`);
}
