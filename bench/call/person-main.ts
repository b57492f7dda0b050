/** One person in a process of their own: an SDK client with a real WebRTC stack, driven by the benchmark over IPC. */
import { type Call, type Client, createClient } from "@earshot/sdk";
import { nodeClientOptions } from "@earshot/sdk/node";
import { now, type PersonCommand, type PersonEvent, type PersonIdentity, type PersonMessage } from "./protocol.ts";
import { createMicrophone, listen, type Microphone } from "./sound-source.ts";

const send = (message: PersonMessage) => process.send?.(message);
const tell = (event: PersonEvent["event"], at = now()) => send({ event, at });

let made: Microphone | undefined;
/** Made on first use: an idle client has not loaded WebRTC. */
function microphone(): Microphone {
  made ??= createMicrophone((at) => tell("burst-sent", at));
  return made;
}
let client: Client | undefined;
let current: Call | undefined;

function watch(call: Call): void {
  current = call;
  const told = new Set<string>();
  let stopListening: (() => void) | undefined;
  const once = (event: "rings-there" | "active" | "ended") => {
    if (!told.has(event)) tell(event);
    told.add(event);
  };
  const look = () => {
    if (call.phase === "ringing" && call.direction === "outgoing") once("rings-there");
    if (call.phase === "active") once("active");
    if (call.remoteAudio && !stopListening) {
      let first = true;
      stopListening = listen(call.remoteAudio, (at) => {
        tell(first ? "heard" : "burst-heard", at);
        first = false;
      });
    }
    if (call.phase === "ended") {
      stopListening?.();
      once("ended");
    }
  };
  call.on("change", look);
  look();
}

async function start(command: Extract<PersonCommand, { op: "start" }>): Promise<PersonIdentity> {
  const ports = await nodeClientOptions({ home: command.home, node: { url: command.node } });
  client = await createClient({ ...ports, name: command.name });
  client.on("incoming", (call) => {
    tell("rings-here");
    watch(call);
  });
  await client.start();
  return { id: client.id, card: client.card() };
}

async function befriended(id: string): Promise<void> {
  const isContact = () => client?.contacts().some((contact) => contact.id === id && contact.state === "contact");
  while (!isContact()) await new Promise<void>((resolve) => client?.on("contacts", () => resolve()));
}

async function act(command: PersonCommand): Promise<PersonIdentity | null> {
  switch (command.op) {
    case "start":
      return start(command);
    case "add":
      await client?.addContact(command.card);
      return null;
    case "befriended":
      await befriended(command.id);
      return null;
    case "call": {
      tell("dialled");
      const call = await client?.call(command.id, { audio: microphone().track });
      if (call) watch(call);
      return null;
    }
    case "answer":
      tell("answered");
      await current?.answer({ audio: microphone().track });
      return null;
    case "hang-up":
      await current?.hangUp();
      return null;
    case "sound":
      microphone().sound = command.sound;
      return null;
  }
}

process.on("message", (command: PersonCommand) => {
  act(command).then(
    (reply) => send({ reply }),
    (error: unknown) => send({ failure: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  );
});
process.on("disconnect", () => process.exit());
