/** The session on a browser: the SDK's storage and transport, and the node's small HTTP interface. */
import { EarshotError, utf8 } from "@earshot/core";
import { type ClientOptions, createClient, type Storage } from "@earshot/sdk";
import { browserClientOptions } from "@earshot/sdk/browser";
import type { NotePort, Obstacle, SessionPort } from "../view-models/ports.ts";
import { tabHandover } from "./tab-handover.ts";

/** The app's own values live under this, apart from the client's. */
const NOTE_PREFIX = "app/";
const REQUEST_TIMEOUT_MS = 10_000;

const OBSTACLES: Readonly<Record<string, Obstacle>> = {
  "storage-in-use": "other-tab",
  "storage-locked": "other-node",
  "storage-failed": "no-storage",
  "key-half-unavailable": "node-unreachable",
};

/** `origin` is the node's that serves this page; `token` what came with the address, now or earlier. */
export function browserSession(page: { readonly origin: string; readonly token: string | undefined }): SessionPort {
  const node = { url: page.origin, ...(page.token ? { token: page.token } : {}) };
  const handover = tabHandover();
  let ports: ClientOptions | undefined;

  const ready = (): ClientOptions => {
    if (ports === undefined) throw new EarshotError("not-started", "prepare the session first");
    return ports;
  };
  return {
    prepare: async (takeOver) => {
      if (page.token === undefined) return "token-missing";
      const status = await infoStatus(page.token);
      if (status !== undefined) return status;
      if (takeOver) await handover.ask();
      try {
        ports = await browserClientOptions({ node });
        return undefined;
      } catch (error) {
        const obstacle = error instanceof EarshotError ? OBSTACLES[error.code] : undefined;
        if (obstacle === undefined) throw error;
        return obstacle;
      }
    },
    onTakeOver: (letGo) =>
      handover.onAsked(async () => {
        await letGo();
        await ports?.storage.close();
        ports = undefined;
      }),
    hasIdentity: async () => (await ready().storage.keys("")).some((key) => !key.startsWith(NOTE_PREFIX)),
    open: (options) => createClient({ ...ready(), ...options }),
    echoCard: () => echoCard(page.token),
    notes: notesIn(() => ready().storage),
  };
}

function getInfo(token: string | undefined): Promise<Response> {
  return fetch("/api/info", {
    headers: token ? { authorization: `Bearer ${token}` } : {},
    cache: "no-store",
    signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
  });
}

async function infoStatus(token: string): Promise<Obstacle | undefined> {
  const response = await getInfo(token).catch(() => undefined);
  if (response === undefined || response.status >= 500) return "node-unreachable";
  return response.status === 401 || response.status === 403 ? "token-refused" : undefined;
}

async function echoCard(token: string | undefined): Promise<string | undefined> {
  const info: unknown = await (await getInfo(token)).json();
  if (typeof info !== "object" || info === null || !("echo" in info)) return undefined;
  const { echo } = info;
  if (typeof echo !== "object" || echo === null || !("card" in echo)) return undefined;
  return typeof echo.card === "string" ? echo.card : undefined;
}

function notesIn(storage: () => Storage): NotePort {
  return {
    load: async (key) => {
      const bytes = await storage().get(NOTE_PREFIX + key);
      return bytes === undefined ? undefined : (JSON.parse(new TextDecoder().decode(bytes)) as unknown);
    },
    save: (key, value) => storage().set(NOTE_PREFIX + key, utf8(JSON.stringify(value))),
  };
}
