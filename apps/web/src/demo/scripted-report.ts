/** What a node might report, for the demo screens and the tests. */
import type { ConsentLimits, Neighbour, NodeReport } from "@earshot/core";

const OPERATORS = ["", "", "", "calls.example", "Stadtwerke", "", "hack.lab", "uni.example"];

export const LIMITS: ConsentLimits = {
  maxClients: 200,
  maxBytesPerSecond: 1_000_000,
  maxStoreBytes: 500_000_000,
  fromHour: 0,
  toHour: 24,
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

const CRITERIA: NodeReport["criteria"] = [
  { name: "consent", label: "You have agreed to lend this node", met: false, value: "no", needed: "yes" },
  {
    name: "reachable",
    label: "Reachable from outside",
    met: true,
    value: "3 of 3 supernodes got through",
    needed: "2",
  },
  { name: "address", label: "Steady address", met: true, value: "for 6 h", needed: "4 h" },
  { name: "uplink", label: "Uplink", met: false, value: "0.6 Mbit/s", needed: "2 Mbit/s" },
  { name: "cpu", label: "Processor to spare", met: true, value: "12 % used", needed: "at most 50 %" },
  { name: "need", label: "The network needs one more", met: null, value: "", needed: "supernodes over 60 % full" },
];

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
  sees: {
    can: ["The network address of whoever is connected, and when.", "The size and time of each sealed message."],
    cannot: ["What is in them, and who wrote them.", "Who calls whom.", "Sound or picture: they never come this way."],
  },
};

/** The same node once it serves others. */
export const PROMOTED: NodeReport = {
  ...VOLUNTEER,
  role: "promoted",
  roleState: "serving",
  roleReason: "It was measured fit, and the supernodes around it were 78 % full.",
  criteria: CRITERIA.map((criterion) => ({ ...criterion, met: true, value: criterion.value || "yes" })),
  consent: { given: true, askedBefore: true, limits: { ...LIMITS, fromHour: 22, toHour: 7 } },
  capacity: { clients: 61, maxClients: 120 },
  load: { ...VOLUNTEER.load, connections: 140, mailboxes: 122, storeBytes: 64_000_000, peers: 6, dhtRecords: 410 },
  refusals: [
    ["bad-signature", 3],
    ["rate-limited", 41],
  ],
};

/** Pinned by its operator, full, and in the middle of many. */
export const DEDICATED: NodeReport = {
  ...PROMOTED,
  role: "dedicated",
  roleReason: "Its operator started it as a dedicated supernode.",
  operator: "calls.example",
  criteria: [],
  capacity: { clients: 18_440, maxClients: 20_000 },
  neighbours: Array.from({ length: 512 }, (_, index) => neighbour(index)),
};

/** Not part of any network. */
export const ALONE: NodeReport = {
  ...VOLUNTEER,
  network: { name: "", private: false, state: "alone", dhtAddress: "", dhtNodes: 0, publicAddress: false },
  roleReason: "A node without a network serves only its own person.",
  criteria: [],
  neighbours: [],
};
