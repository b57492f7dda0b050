/** What a person should see while they wait or talk: new devices, broken attempts, missed calls, requests, a lost node. */
import type { Client } from "@earshot/sdk";
import { accountLines } from "./account-lines.ts";
import { nameChangedText } from "./name-changed-text.ts";
import { CLOCK_ADVICE } from "./session.ts";
import type { Terminal } from "./terminal.ts";

/** Tells notices until the result is called. Before `start()`, so that what waited at the node is told as well. */
export function tellNotices(client: Client, terminal: Terminal): () => void {
  const nameOf = (id: string): string => client.contacts().find((contact) => contact.id === id)?.name ?? id;
  const warn = (text: string): void => terminal.say(terminal.warn(`! ${text}`));
  const stops = [
    client.on("newDevice", ({ contactId, deviceId, listRestarted }) => {
      terminal.emit({ event: "new-device", contactId, deviceId, listRestarted: listRestarted ?? false });
      if (listRestarted)
        return warn(
          `${nameOf(contactId)} seems to have started anew from their recovery phrase, or somebody has it. Ask them in another way; if it was them, add their card again.`,
        );
      warn(`${nameOf(contactId)} uses a device that you have not seen before. Did they get a new one? Ask them.`);
    }),
    client.on("nameChanged", ({ contactId, address, newId }) => {
      terminal.emit({ event: "name-changed", contactId, address, newId });
      warn(nameChangedText({ name: nameOf(contactId), address }));
    }),
    client.on("brokenAttempt", ({ contactId, at }) => {
      terminal.emit({ event: "broken-attempt", contactId, at });
      warn(`A call with ${nameOf(contactId)} broke off before its words were settled. Compare them with care.`);
    }),
    client.on("missed", (missed) => {
      const { contactId, at, relayNeeded } = missed;
      terminal.emit({ event: "missed", ...missed });
      const why = relayNeeded ? " It needed a relay, and there was none, or one of you allows none." : "";
      terminal.say(`Missed a call from ${nameOf(contactId)} at ${new Date(at).toLocaleTimeString()}.${why}`);
    }),
    client.on("account", (account) => {
      const { advice } = accountLines(account);
      if (advice === undefined) return;
      terminal.emit({ event: "account-key-needed", ...account });
      warn(advice);
    }),
    tellRequests(client, terminal),
    tellNode(client, terminal),
    tellClock(client, terminal),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

function tellRequests(client: Client, terminal: Terminal): () => void {
  const told = new Set(client.requests().map((request) => request.id));
  return client.on("requests", (requests) => {
    for (const { id, name } of requests) {
      if (told.has(id)) continue;
      told.add(id);
      terminal.emit({ event: "request", id, name });
      terminal.say(`"${name}" asks to be your contact: earshot contacts accept ${id}`);
    }
  });
}

/** Losses and returns; the first connection is the command's own business. */
function tellNode(client: Client, terminal: Terminal): () => void {
  let known: "never online" | "online" | "offline" = "never online";
  return client.on("status", ({ state, problem }) => {
    if (state === "online") {
      if (known === "offline") {
        terminal.emit({ event: "node", online: true });
        terminal.note("Connected to the node again.");
      }
      known = "online";
    } else if (state === "offline" && known === "online") {
      known = "offline";
      terminal.emit({ event: "node", online: false, ...(problem === undefined ? {} : { problem }) });
      terminal.note(terminal.warn("! The node is gone; trying again. A call that is under way goes on."));
    }
  });
}

/** Also where it was wrong before: the command is online already. */
function tellClock(client: Client, terminal: Terminal): () => void {
  let wrong = false;
  const look = (): void => {
    const { state, problem } = client.status;
    if (state !== "online" || wrong === (problem === "clock-wrong")) return;
    wrong = !wrong;
    terminal.emit({ event: "clock", wrong });
    if (wrong) terminal.say(terminal.warn(`! ${CLOCK_ADVICE}`));
    else terminal.note("The clock is right again.");
  };
  look();
  return client.on("status", look);
}
