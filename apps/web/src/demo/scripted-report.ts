/** What a node might report, for the demo screens and the tests. */
import type { ConsentLimits, Neighbour, NodeReport, RelayLimits } from "@earshot/core";

const OPERATORS = ["", "", "", "calls.example", "Stadtwerke", "", "hack.lab", "uni.example"];

export const LIMITS: ConsentLimits = {
  maxClients: 200,
  maxBytesPerSecond: 1_000_000,
  maxStoreBytes: 500_000_000,
  fromHour: 0,
  toHour: 24,
};

export const RELAY_LIMITS: RelayLimits = { maxAllocations: 60, maxBytesPerSecond: 1_000_000 };

/** A volunteer's, just turned on. */
export const RELAYING: NonNullable<NodeReport["relay"]> = {
  urls: ["turn:198.51.100.20:3478?transport=udp", "turn:198.51.100.20:3478?transport=tcp"],
  own: true,
  allocations: 0,
  bytes: 0,
  refused: 0,
};

/** The `index`th of many: spread over operators, prefixes, kinds, distances and loads, always the same. */
export function neighbour(index: number): Neighbour {
  const operator = OPERATORS[index % OPERATORS.length] ?? "";
  const kind = operator === "" ? "promoted" : "dedicated";
  const maxClients = kind === "dedicated" ? 20_000 : 200;
  return {
    key: (index + 1).toString(16).padStart(2, "0").repeat(32).slice(0, 64),
    operator,
    kind,
    url: kind === "dedicated" ? `wss://s${index}.${operator}/edge` : "",
    dht: `203.0.${index % 250}.7:49737`,
    prefix: `203.0.${index % 250}.0/24`,
    roundTripMs: index % 11 === 9 ? null : 6 + ((index * 37) % 240),
    clients: Math.round((maxClients * ((index * 29) % 100)) / 100),
    maxClients,
    lastSeenAt: 1_750_000_000_000,
    self: false,
    peer: index % 5 === 0,
  };
}

/** As the node words them. */
const CRITERIA: NodeReport["criteria"] = [
  { name: "consent", label: "You have agreed to lend this node", met: false, value: "no", needed: "yes" },
  {
    name: "hours",
    label: "It is within the hours you chose",
    met: true,
    value: "always",
    needed: "more than 30 min left",
  },
  {
    name: "reachable",
    label: "Others can reach this node from outside",
    met: true,
    value: "reached by 3 of 3",
    needed: "2 independent supernodes within 6 h",
  },
  { name: "address", label: "Its address stays the same", met: true, value: "for 6 h", needed: "for 4 h" },
  {
    name: "history",
    label: "It has been running, and has come back at this address before",
    met: false,
    value: "up 6 h, 1 earlier",
    needed: "up 2 h and 2 earlier, or up 2 d",
  },
  {
    name: "uplink",
    label: "Its connection can send fast enough",
    met: false,
    value: "75 KiB/s",
    needed: "256 KiB/s",
  },
  { name: "cpu", label: "The node has computing time to spare", met: true, value: "12 %", needed: "at most 50 %" },
  { name: "memory", label: "The machine has memory to spare", met: true, value: "2210 MiB", needed: "256 MiB" },
  { name: "lag", label: "The node answers without delay", met: true, value: "1 ms late", needed: "at most 50 ms" },
  {
    name: "rest",
    label: "The pause after its last service is over",
    met: true,
    value: "none left",
    needed: "none left",
  },
  {
    name: "need",
    label: "The network needs another supernode",
    met: true,
    value: "14 others, 78 % full",
    needed: "fewer than 3 others, or more than 70 % full",
  },
];

/** What a node that serves nobody else sees; docs/threat-model.md. */
const SEES_NOTHING: NodeReport["sees"] = {
  can: ["Nothing of other people: it serves only you."],
  cannot: [
    "Who anybody is: it is told no ids, names or contacts.",
    "What an envelope holds, or whether it is a call: it is sealed for the device that it is meant for.",
    "Sound or pictures: a call never passes through this node.",
  ],
};

const SEES_CALLS =
  "The network addresses of both ends of the calls that it relays, when they talk and how many bytes: not who they are.";
const SEES_NO_SOUND = "Sound or pictures: those of the calls that it relays are encrypted for the people on them.";

/** A volunteer's node that serves nobody else yet. */
export const VOLUNTEER: NodeReport = {
  version: 1,
  network: {
    name: "open",
    private: false,
    state: "joined",
    dhtAddress: "198.51.100.20:49737",
    dhtNodes: 143,
    publicAddress: true,
  },
  portMapping: { state: "off", way: "", gateway: "", externalAddress: "", externalPublic: false, ports: [] },
  relay: null,
  relayLending: { given: false, limits: RELAY_LIMITS, state: "off" },
  supernodeKey: "5f".repeat(32),
  operator: "",
  role: "client",
  roleState: "off",
  roleReason: "You have not been asked yet whether you lend it.",
  criteria: CRITERIA,
  consent: { given: false, askedBefore: false, limits: LIMITS },
  capacity: { clients: 0, maxClients: 0 },
  load: {
    connections: 3,
    mailboxes: 4,
    records: 2,
    bundles: 1,
    dhtRecords: 0,
    storeBytes: 180_000,
    bytesIn: 4_200_000,
    bytesOut: 3_900_000,
    envelopes: { forwarded: 214, stored: 3, acknowledged: 3, expired: 0 },
    peers: 0,
    tunnels: 3,
    loopLagMs: 1.2,
    cpuShare: 0.012,
    rssBytes: 96_000_000,
    uptimeSeconds: 22_400,
  },
  refusals: [],
  limits: { maxConnections: 10_000, maxMailboxes: 100_000, maxStoreBytes: 1_000_000_000 },
  neighbours: Array.from({ length: 14 }, (_, index) => neighbour(index)),
  sees: SEES_NOTHING,
};

/** It has said yes, and is measured now. */
export const MEASURING: NodeReport = {
  ...VOLUNTEER,
  roleState: "measuring",
  roleReason: "Not yet: it has not been running long enough, and its connection has not been measured.",
  consent: { given: true, askedBefore: true, limits: LIMITS },
  portMapping: {
    state: "mapped",
    way: "nat-pmp",
    gateway: "192.168.1.1",
    externalAddress: "100.64.12.7",
    externalPublic: false,
    ports: [{ use: "dht", protocol: "udp", port: 49737, mapped: true }],
  },
  criteria: CRITERIA.map((criterion) => {
    if (criterion.name === "consent") return { ...criterion, met: true, value: "yes" };
    return criterion.name === "uplink" ? { ...criterion, met: null, value: "not measured yet" } : criterion;
  }),
};

/** Just started. */
export const JOINING: NodeReport = {
  ...VOLUNTEER,
  network: { ...VOLUNTEER.network, state: "joining", dhtAddress: "", dhtNodes: 0 },
  neighbours: [],
};

const FIT: Readonly<Record<string, string>> = { consent: "yes", history: "up 3 d, 4 earlier", uplink: "1310 KiB/s" };

/** The same node once it serves others. */
export const PROMOTED: NodeReport = {
  ...VOLUNTEER,
  role: "promoted",
  roleState: "serving",
  roleReason: "It was measured fit, and the supernodes around it were 78 % full.",
  criteria: CRITERIA.map((criterion) => ({ ...criterion, met: true, value: FIT[criterion.name] ?? criterion.value })),
  consent: { given: true, askedBefore: true, limits: { ...LIMITS, fromHour: 22, toHour: 7 } },
  capacity: { clients: 61, maxClients: 120 },
  load: { ...VOLUNTEER.load, connections: 140, mailboxes: 122, storeBytes: 64_000_000, peers: 6, dhtRecords: 410 },
  sees: {
    can: [
      "The network addresses of those it serves, and when they are connected.",
      "How many envelopes each mailbox gets, when, and which of three sizes they have.",
      "Which connection opens a mailbox and which one delivers; where both people of a call use it, it can pair them by time.",
      "Which days' keys of records and bundles are stored or asked for; who knows a person's id can tell theirs apart.",
    ],
    cannot: SEES_NOTHING.cannot,
  },
  refusals: [
    ["bad-signature", 3],
    ["rate-limited", 41],
  ],
};

/** And relays calls, which its owner allowed besides. */
export const RELAYING_TOO: NodeReport = {
  ...PROMOTED,
  relay: { ...RELAYING, allocations: 6, bytes: 4.8e9, refused: 31 },
  relayLending: { given: true, limits: RELAY_LIMITS, state: "on" },
  sees: {
    can: [...PROMOTED.sees.can, SEES_CALLS],
    cannot: [...PROMOTED.sees.cannot.slice(0, -1), SEES_NO_SOUND],
  },
};

/** It leaves, and nobody's call is cut off. */
export const DRAINING: NodeReport = {
  ...PROMOTED,
  roleState: "draining",
  roleReason: "You asked it to step down.",
  capacity: { clients: 17, maxClients: 120 },
};

/** Pinned by its operator, full, and in the middle of many. */
export const DEDICATED: NodeReport = {
  ...PROMOTED,
  role: "dedicated",
  roleReason: "Its operator started it as a dedicated supernode.",
  operator: "calls.example",
  relay: {
    urls: ["turn:203.0.113.5:3478?transport=udp", "turn:203.0.113.5:3478?transport=tcp"],
    own: true,
    allocations: 46,
    bytes: 9.4e11,
    refused: 1_204,
  },
  relayLending: null,
  sees: {
    ...PROMOTED.sees,
    can: [...PROMOTED.sees.can, SEES_CALLS],
    cannot: [...PROMOTED.sees.cannot.slice(0, -1), SEES_NO_SOUND],
  },
  criteria: [],
  capacity: { clients: 18_440, maxClients: 20_000 },
  neighbours: Array.from({ length: 512 }, (_, index) => neighbour(index)),
};

/** A volunteer's among many. */
export const MANY: NodeReport = { ...PROMOTED, neighbours: DEDICATED.neighbours };

/** Names and numbers as long as they may be. */
export const LONG: NodeReport = {
  ...DEDICATED,
  operator: "Verein-zur-Förderung-freier-Netze-und-offener-Vermittlungsstellen-eV",
  network: {
    ...DEDICATED.network,
    name: "a-private-network-with-a-name-as-long-as-it-may-be-for-the-family",
    private: true,
    dhtAddress: "[2001:db8:1234:5678:9abc:def0:1234:5678]:49737",
    publicAddress: false,
  },
  load: {
    ...DEDICATED.load,
    connections: 98_412,
    mailboxes: 196_824,
    bytesIn: 8.1e13,
    bytesOut: 7.9e13,
    envelopes: { forwarded: 1_234_567_890, stored: 98_765_432, acknowledged: 98_000_000, expired: 765_432 },
    uptimeSeconds: 31_536_000,
  },
  neighbours: Array.from({ length: 12 }, (_, index) => ({
    ...neighbour(index),
    operator: `Verein-zur-Förderung-freier-Netze-und-offener-Vermittlungsstellen-${index}`,
    prefix: "2001:db8:1234:5678::/64",
  })),
};

/** Not part of any network. */
export const ALONE: NodeReport = {
  ...VOLUNTEER,
  network: { name: "", private: false, state: "alone", dhtAddress: "", dhtNodes: 0, publicAddress: false },
  roleReason: "A node without a network serves only its own person.",
  relayLending: null,
  criteria: [],
  neighbours: [],
};
