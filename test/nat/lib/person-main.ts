/** One person in the lab, in a process of their own on a site's host: an SDK client with a real WebRTC stack, told what to do over IPC. */
import { type Call, type Client, createClient } from "@earshot/sdk";
import { nodeClientOptions } from "@earshot/sdk/node";
import { createVoice, listenFor } from "./ear.ts";
import {
  type CallState,
  monotonicNow,
  type PersonCommand,
  type PersonMessage,
  type PersonState,
} from "./person-protocol.ts";

const send = (message: PersonMessage) => process.send?.(message);
const VOICE_HZ = 440;

let made: MediaStreamTrack | undefined;
const voice = () => (made ??= createVoice(VOICE_HZ));
let client: Client | undefined;
let current:
  | { readonly call: Call; readonly phases: CallState["phases"][number][]; readonly voice: number[] }
  | undefined;
let answers = true;

function watch(call: Call): void {
  const noted = { call, phases: [] as CallState["phases"][number][], voice: [] as number[] };
  current = noted;
  let stopListening: (() => void) | undefined;
  const look = () => {
    const { phase } = call;
    if (noted.phases.at(-1)?.phase !== phase) noted.phases.push({ phase, at: monotonicNow() });
    if (call.remoteAudio) stopListening ??= listenFor(call.remoteAudio, noted.voice);
    if (phase === "ended") stopListening?.();
  };
  call.on("change", look);
  look();
}

async function start(command: Extract<PersonCommand, { op: "start" }>): Promise<void> {
  voice(); // what it takes to load is not part of the first call
  const ports = await nodeClientOptions({ home: command.home, node: { url: command.node } });
  const offers = command.relays.map(({ roundTripMs, ...relay }) => ({
    ...relay,
    ...(roundTripMs === undefined ? {} : { roundTripMs }),
    key: Uint8Array.from(Buffer.from(relay.key, "hex")),
    trusted: false,
  }));
  client = await createClient({
    ...ports,
    ...(offers.length > 0 ? { relays: { offers: async () => offers } } : {}),
    name: command.name,
    log: (entry) => send({ log: JSON.stringify({ at: Math.round(monotonicNow()), ...entry }) }),
  });
  client.on("incoming", (call) => {
    watch(call);
    if (answers) void call.answer({ audio: voice() });
  });
  await client.start();
}

async function atHome(count: number): Promise<void> {
  const isThere = () => (client?.status.homes ?? []).filter(({ state }) => state === "connected").length >= count;
  while (!isThere()) await new Promise<void>((resolve) => client?.on("status", () => resolve()));
}

async function befriended(id: string): Promise<void> {
  const isContact = () => client?.contacts().some((contact) => contact.id === id && contact.state === "contact");
  while (!isContact()) await new Promise<void>((resolve) => client?.on("contacts", () => resolve()));
}

async function act(command: PersonCommand): Promise<void> {
  switch (command.op) {
    case "start":
      return start(command);
    case "add":
      await client?.addContact(command.card);
      return;
    case "at-home":
      return atHome(command.homes);
    case "befriended":
      return befriended(command.id);
    case "call": {
      const call = await client?.call(command.id, { audio: voice() });
      if (call) watch(call);
      return;
    }
    case "answer-calls":
      answers = command.answer;
      return;
    case "hang-up":
      return current?.call.hangUp();
    case "look":
      return;
  }
}

function state(): PersonState {
  const call = current && {
    phases: current.phases,
    endReason: current.call.endReason ?? null,
    path: current.call.path ?? null,
    voice: current.voice,
  };
  return {
    id: client?.id ?? "",
    card: client?.card() ?? "",
    call: call ?? null,
    refusals: client?.refusals() ?? [],
  };
}

process.on("message", ({ number, command }: { number: number; command: PersonCommand }) => {
  act(command)
    .then(state)
    .then(
      (seen) => send({ answer: number, state: seen }),
      (error: unknown) =>
        send({ answer: number, failure: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    );
});
process.on("disconnect", () => process.exit());
