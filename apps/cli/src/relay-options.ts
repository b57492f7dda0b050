/** Whether and how `earshot start` and `earshot supernode` relay calls: docs/relay.md. */
import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import type { Command } from "commander";
import type { NodeOptions, OwnRelayOptions, RelayRoleOptions } from "@earshot/node";
import { parsePort } from "./port-option.ts";
import { UsageError } from "./usage-error.ts";

export interface RelayChoice {
  /** Addresses under which others reach it: one of IPv4, one of IPv6, or both; or `auto` alone. */
  readonly relay?: readonly string[];
  /** The address here, where a router maps the other one to it. */
  readonly relayBind?: string;
  readonly relayPort?: string;
  readonly relayTlsCert?: string;
  readonly relayTlsKey?: string;
  readonly relayTlsName?: string;
  readonly relayTlsPort?: string;
  readonly relayPrivate?: boolean;
  readonly relayUrl?: readonly string[];
  readonly relaySecretFile?: string;
}

const DEFAULT_PORT = "3478";
const AUTO = "auto";
/** IANA's for TURN over TLS. */
const DEFAULT_TLS_PORT = "5349";
const MAX_URLS = 4;
const MAX_SECRET_BYTES = 1_024;
const TURN_URL = /^turns?:[^\s?/]+(?:\?transport=(?:udp|tcp))?$/;

export function addRelayOptions(command: Command): Command {
  return command
    .option(
      "--relay <ip...>",
      "relay calls that find no direct path, reached at these addresses (IPv4, IPv6 or both); auto: at this machine's, or its router's, which is asked to let others in",
    )
    .option("--relay-bind <ip>", "address here, where a router maps the one of --relay to it")
    .option("--relay-port <n>", `UDP and TCP port of the relay (default: ${DEFAULT_PORT})`)
    .option("--relay-tls-cert <file>", "certificate and chain, PEM: the relay takes TLS too")
    .option("--relay-tls-key <file>", "its key, PEM")
    .option("--relay-tls-name <host>", "the name that the certificate is for")
    .option("--relay-tls-port <n>", `TCP port for TLS; 443 gets through most networks (default: ${DEFAULT_TLS_PORT})`)
    .option("--relay-private", "let the relay send to private addresses too: for a network of one's own")
    .option("--relay-url <url...>", "a TURN server of yours instead (coturn with use-auth-secret): turn:host:port")
    .option("--relay-secret-file <file>", "the secret that it and this node share, in the file's first line");
}

/** What {@link startNode} is told. Throws {@link UsageError} for options that do not go together. */
export function relayOptions(choice: RelayChoice): Pick<NodeOptions, "relay"> {
  const relay = choice.relayUrl === undefined ? ownRelay(choice) : otherRelay(choice, choice.relayUrl);
  return relay === undefined ? {} : { relay };
}

function ownRelay(choice: RelayChoice): NodeOptions["relay"] {
  const { relay, relayBind, relayPrivate, relaySecretFile } = choice;
  if (relaySecretFile !== undefined) throw new UsageError("--relay-secret-file goes with --relay-url.");
  if (relay === undefined) {
    const [stray] = Object.entries(choice).filter(([name, value]) => /^relay[A-Z]/.test(name) && value !== undefined);
    if (stray) throw new UsageError("Say where others reach the relay: --relay 203.0.113.5");
    return undefined;
  }
  if (relay.includes(AUTO)) return autoRelay(choice);
  const addresses = relay.map((announced) => ({
    host: addressOf(relayBind ?? announced),
    announced: addressOf(announced),
  }));
  const families = new Set(addresses.map(({ announced }) => isIP(announced)));
  if (families.size < addresses.length)
    throw new UsageError("--relay takes one address of IPv4 and one of IPv6 at most.");
  if (relayBind !== undefined && addresses.length > 1)
    throw new UsageError("--relay-bind goes with one address of --relay.");
  return {
    addresses,
    port: parsePort(choice.relayPort ?? DEFAULT_PORT, "--relay-port"),
    ...tlsOf(choice),
    ...(relayPrivate ? { peers: { privateNetworks: true } } : {}),
  };
}

function autoRelay({ relayPort, ...choice }: RelayChoice): NodeOptions["relay"] {
  const others = Object.entries(choice).filter(([name, value]) => /^relay[A-Z]/.test(name) && value !== undefined);
  if (choice.relay?.length !== 1 || others.length > 0)
    throw new UsageError("--relay auto goes with --relay-port alone.");
  return { auto: true, port: parsePort(relayPort ?? DEFAULT_PORT, "--relay-port") };
}

function tlsOf({ relayTlsCert, relayTlsKey, relayTlsName, relayTlsPort }: RelayChoice): Pick<OwnRelayOptions, "tls"> {
  const given = [relayTlsCert, relayTlsKey, relayTlsName];
  if (given.every((each) => each === undefined) && relayTlsPort === undefined) return {};
  if (relayTlsCert === undefined || relayTlsKey === undefined || relayTlsName === undefined)
    throw new UsageError("--relay-tls-cert, --relay-tls-key and --relay-tls-name go together.");
  if (!/^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/i.test(relayTlsName))
    throw new UsageError(`--relay-tls-name takes a host name, not "${relayTlsName}".`);
  const port = parsePort(relayTlsPort ?? DEFAULT_TLS_PORT, "--relay-tls-port");
  return { tls: { certFile: relayTlsCert, keyFile: relayTlsKey, name: relayTlsName, port } };
}

function otherRelay({ relay, relaySecretFile }: RelayChoice, urls: readonly string[]): RelayRoleOptions {
  if (relay !== undefined) throw new UsageError("--relay is this node's own, --relay-url another's: give one of them.");
  if (relaySecretFile === undefined) throw new UsageError("--relay-url goes with --relay-secret-file.");
  const bad = urls.find((url) => !TURN_URL.test(url));
  if (bad !== undefined || urls.length > MAX_URLS)
    throw new UsageError(
      `--relay-url takes up to ${MAX_URLS} addresses such as turn:turn.example:3478, not "${bad ?? urls.length}".`,
    );
  return { urls, secret: secretIn(relaySecretFile) };
}

function secretIn(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    throw new UsageError(`--relay-secret-file: "${file}" cannot be read.`);
  }
  const secret = (text.split("\n")[0] ?? "").trim();
  if (secret === "" || secret.length > MAX_SECRET_BYTES)
    throw new UsageError(`--relay-secret-file: "${file}" has no secret in its first line.`);
  return secret;
}

function addressOf(text: string): string {
  if (isIP(text) !== 0 && text !== "0.0.0.0" && text !== "::") return text;
  throw new UsageError(`--relay takes an IP address that others reach, such as 203.0.113.5, not "${text}".`);
}
