/**
 * Things a person must get to see though they may not be looking: missed calls, a contact's new device, attempts that
 * were broken off. Kept across reloads until dismissed.
 */
import type { Client } from "@earshot/sdk";
import { type ReadonlySignal, signal } from "@preact/signals";
import type { ClockPort, NotePort } from "./ports.ts";

export type NoticeKind =
  | "missed"
  | "relay-needed"
  | "new-device"
  | "list-restarted"
  | "broken-attempt"
  | "name-changed";

export interface Notice {
  readonly key: string;
  readonly kind: NoticeKind;
  readonly contactId: string;
  /** Unix milliseconds. */
  readonly at: number;
}

/** Oldest notices go first when there are more: nobody reads further back, and storage stays bounded. */
const MAX_NOTICES = 50;
const NOTE_KEY = "notices";
const KINDS: readonly string[] = [
  "missed",
  "relay-needed",
  "new-device",
  "list-restarted",
  "broken-attempt",
  "name-changed",
] satisfies NoticeKind[];

export interface NoticesModel {
  /** Newest first. */
  readonly list: ReadonlySignal<readonly Notice[]>;
  /** A ring that nobody took. The client may report the same call as missed: it is listed once. */
  addMissed(contactId: string, callId: string): void;
  dismiss(key: string): void;
  dismissAll(): void;
  /** Reads what an earlier page left. */
  restore(): Promise<void>;
  dispose(): void;
}

/** Collects the client's notices. */
export function createNoticesModel(client: Client, notes: NotePort, clock: ClockPort): NoticesModel {
  const list = signal<readonly Notice[]>([]);
  const save = () => void notes.save(NOTE_KEY, list.value).catch(() => undefined);
  const put = (notice: Notice) => {
    list.value = merged([notice, ...list.value]);
    save();
  };
  const unsubscribes = [
    client.on("missed", ({ callId, contactId, at, relayNeeded }) =>
      put({ key: `missed ${callId}`, kind: relayNeeded ? "relay-needed" : "missed", contactId, at }),
    ),
    client.on("newDevice", ({ contactId, deviceId, listRestarted }) => {
      const kind = listRestarted ? "list-restarted" : "new-device";
      put({ key: `device ${contactId} ${deviceId}`, kind, contactId, at: clock.now() });
    }),
    client.on("nameChanged", ({ contactId, newId }) =>
      put({ key: `name ${contactId} ${newId}`, kind: "name-changed", contactId, at: clock.now() }),
    ),
    client.on("brokenAttempt", ({ contactId, at }) =>
      put({ key: `broken ${contactId} ${at}`, kind: "broken-attempt", contactId, at }),
    ),
  ];
  return {
    list,
    addMissed: (contactId, callId) => put({ key: `missed ${callId}`, kind: "missed", contactId, at: clock.now() }),
    dismiss: (key) => {
      list.value = list.value.filter((notice) => notice.key !== key);
      save();
    },
    dismissAll: () => {
      list.value = [];
      save();
    },
    restore: async () => {
      const kept = await notes.load(NOTE_KEY);
      if (Array.isArray(kept)) list.value = merged([...list.value, ...kept.filter(isNotice)]);
    },
    dispose: () => {
      for (const unsubscribe of unsubscribes) unsubscribe();
    },
  };
}

function merged(notices: readonly Notice[]): readonly Notice[] {
  const byKey = new Map<string, Notice>();
  for (const notice of notices) if (!byKey.has(notice.key)) byKey.set(notice.key, notice);
  return [...byKey.values()].sort((a, b) => b.at - a.at).slice(0, MAX_NOTICES);
}

function isNotice(value: unknown): value is Notice {
  if (typeof value !== "object" || value === null) return false;
  const { key, kind, contactId, at } = value as Record<string, unknown>;
  return (
    typeof key === "string" &&
    typeof kind === "string" &&
    KINDS.includes(kind) &&
    typeof contactId === "string" &&
    typeof at === "number"
  );
}
