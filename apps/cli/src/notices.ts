/** What a person should see whatever the command: new devices, broken attempts, missed calls, requests. */
import type { Client } from "@earshot/sdk";
import type { Terminal } from "./terminal.ts";

/** Tells notices for as long as the client lives. */
export function tellNotices(client: Client, terminal: Terminal): void {
  const nameOf = (id: string): string => client.contacts().find((contact) => contact.id === id)?.name ?? id;
  const warn = (text: string): void => terminal.say(terminal.warn(`! ${text}`));
  client.on("newDevice", ({ contactId, deviceId }) => {
    terminal.emit({ event: "new-device", contactId, deviceId });
    warn(`${nameOf(contactId)} uses a device that you have not seen before. Did they get a new one? Ask them.`);
  });
  client.on("brokenAttempt", ({ contactId, at }) => {
    terminal.emit({ event: "broken-attempt", contactId, at });
    warn(
      `A call with ${nameOf(contactId)} broke off before its words were settled. Often? Compare the words with care.`,
    );
  });
  client.on("missed", ({ contactId, callId, at }) => {
    terminal.emit({ event: "missed", contactId, callId, at });
    terminal.say(`Missed a call from ${nameOf(contactId)} at ${new Date(at).toLocaleTimeString()}.`);
  });
  const told = new Set(client.requests().map((request) => request.id));
  client.on("requests", (requests) => {
    for (const { id, name } of requests) {
      if (told.has(id)) continue;
      told.add(id);
      terminal.emit({ event: "request", id, name });
      terminal.say(`"${name}" asks to be your contact: earshot contacts accept ${id}`);
    }
  });
}
