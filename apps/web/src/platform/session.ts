/** The session on a browser: the node's small HTTP interface first, then the SDK over its storage and transport. */
import type { ClientOptions } from "@earshot/sdk";
import { codeOf } from "../view-models/plain-words.ts";
import type { Hosted, NotePort, Obstacle, SessionPort } from "../view-models/ports.ts";
import type * as ClientModule from "./client-module.ts";
import { hostedKeyHalf, hostedLabel } from "./hosted.ts";
import { echoCard } from "./node-info.ts";
import { tabHandover } from "./tab-handover.ts";
import type { TokenKeeper } from "./token.ts";

/** The app's own values live under this, apart from the client's. */
const NOTE_PREFIX = "app/";

const OBSTACLES: Readonly<Record<string, Obstacle>> = {
  "storage-in-use": "other-tab",
  "storage-locked": "other-node",
  "storage-failed": "no-storage",
  "key-half-unavailable": "node-unreachable",
};

/** What is there once `prepare` found nothing in the way. */
interface Ready {
  readonly module: typeof ClientModule;
  readonly options: ClientOptions;
}

/** `origin` is the node's that serves this page. */
export function browserSession(page: { readonly origin: string; readonly tokens: TokenKeeper }): SessionPort {
  const handover = tabHandover();
  let token: string | undefined;
  let hosted: Hosted | undefined;
  let prepared: Ready | undefined;

  const ready = (): Ready => {
    if (prepared === undefined) throw new Error("prepare the session first");
    return prepared;
  };
  return {
    prepare: async (takeOver) => {
      const found = await page.tokens.find();
      if ("obstacle" in found) {
        hosted = await hostedLabel();
        if (hosted === undefined) return found.obstacle;
      } else token = found.token;
      const node = { url: page.origin, ...(token === undefined ? {} : { token }) };
      const module = await import("./client-module.ts").catch(() => undefined);
      // The page is there and its script is not: the node went away, or was updated, in between.
      if (module === undefined) return "node-unreachable";
      if (takeOver && (await handover.ask(takeOver === "even-in-call")) === "in-call") return "other-tab-in-call";
      try {
        prepared = {
          module,
          options: await module.browserClientOptions({ node, ...(hosted ? { keyHalf: hostedKeyHalf } : {}) }),
        };
        return undefined;
      } catch (error) {
        const known = OBSTACLES[codeOf(error)];
        if (known === undefined) throw error;
        return known;
      }
    },
    onTakeOver: ({ isInCall, letGo }) =>
      handover.onAsked({
        hasSession: () => prepared !== undefined,
        isInCall,
        letGo: async () => {
          await letGo();
          await prepared?.options.storage.close();
          prepared = undefined;
        },
      }),
    hasIdentity: async () => (await ready().options.storage.keys("")).some((key) => !key.startsWith(NOTE_PREFIX)),
    open: (options) => {
      // The keys live here alone: the browser is asked not to clear them when it runs short of space.
      void navigator.storage?.persist?.().catch(() => false);
      return ready().module.createClient({ ...ready().options, ...options });
    },
    hosted: () => hosted,
    checkCard: (text) => ready().module.checkCard(text),
    echoCard: () => echoCard(token),
    notes: notesIn(() => ready().options.storage),
  };
}

function notesIn(storage: () => ClientOptions["storage"]): NotePort {
  return {
    load: async (key) => {
      const bytes = await storage().get(NOTE_PREFIX + key);
      return bytes === undefined ? undefined : (JSON.parse(new TextDecoder().decode(bytes)) as unknown);
    },
    save: (key, value) => storage().set(NOTE_PREFIX + key, new TextEncoder().encode(JSON.stringify(value))),
  };
}
