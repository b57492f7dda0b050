/** Which network `earshot start` joins: the open one, the one of a file, or none. */
import { MAX_NAMED_SUPERNODES, type NodeOptions, OPEN_NETWORK, parseNamedSupernode } from "@earshot/node";
import { readNetworkFile } from "./network-file.ts";
import { parsePort } from "./port-option.ts";
import { UsageError } from "./usage-error.ts";

export interface NetworkChoice {
  /** A file that `earshot network create` made. */
  readonly network?: string;
  readonly alone?: boolean;
  /** Supernodes to begin from besides those of the file: `wss://host/edge#key`. */
  readonly supernode?: readonly string[];
  readonly dhtPort?: string;
  readonly dhtHost?: string;
  /** Asks the router to let others in: always, never, or while the node is lent. */
  readonly mapPorts?: boolean;
  /** Who runs this node, shown to those it serves. */
  readonly operator?: string;
}

/** Bytes of UTF-8 in a descriptor. */
const MAX_OPERATOR_BYTES = 48;

/**
 * What {@link startNode} is told of the network. A file that is named wins over EARSHOT_ALONE=1, which is how tests and CI
 * make sure that no node of theirs dials strangers. Throws {@link UsageError}, and what {@link readNetworkFile} does.
 */
export function networkOptions(choice: NetworkChoice, env = process.env): Partial<NodeOptions> {
  const { network, alone, supernode = [], dhtHost, dhtPort, operator, mapPorts } = choice;
  if (network !== undefined && alone === true) throw new UsageError("--network and --alone exclude each other.");
  if (operator !== undefined && Buffer.byteLength(operator) > MAX_OPERATOR_BYTES)
    throw new UsageError(`--operator takes at most ${MAX_OPERATOR_BYTES} bytes.`);
  const named = operator === undefined ? {} : { operator };
  checkNamedSupernodes(supernode);
  if (network === undefined && (alone === true || isSet(env["EARSHOT_ALONE"]))) return named;
  const config = network === undefined ? OPEN_NETWORK : readNetworkFile(network);
  const entries = supernode.flatMap((text) => parseNamedSupernode(text) ?? []);
  return {
    ...named,
    // Whether it ever serves others is its owner's word, and then a matter of measurement.
    role: "volunteer",
    ...(mapPorts === undefined ? {} : { mapPorts }),
    network: {
      ...config,
      supernodes: [...entries, ...config.supernodes].slice(0, MAX_NAMED_SUPERNODES),
      ...(dhtPort === undefined ? {} : { dhtPort: parsePort(dhtPort, "--dht-port") }),
      ...(dhtHost === undefined ? {} : { dhtHost }),
    },
  };
}

/** Throws {@link UsageError}. */
export function checkNamedSupernodes(texts: readonly string[]): void {
  const wrong = texts.find((text) => parseNamedSupernode(text) === undefined);
  if (wrong !== undefined)
    throw new UsageError(
      `--supernode takes what a dedicated supernode prints, wss://calls.example/edge#key, not "${wrong}".`,
    );
  if (texts.length > MAX_NAMED_SUPERNODES) throw new UsageError(`--supernode takes at most ${MAX_NAMED_SUPERNODES}.`);
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== "" && value !== "0";
}
