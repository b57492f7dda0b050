/**
 * When this node ran and at which address, over restarts: home/node/history.json. A node that comes back at one address lives
 * longer than one that was never seen before (docs/promotion.md), and a rest outlives a restart.
 */
import { join } from "node:path";
import type { PastSession } from "@earshot/core";
import { makePrivateFolder, readPrivateFile, writePrivateFile } from "../home/private-file.ts";

export const MAX_PAST_SESSIONS = 32;
const MAX_ADDRESS_CHARS = 64;

/** What is left of an earlier service. */
export interface KeptRest {
  readonly demotions: number;
  readonly holdUntil: number;
}

export class SessionHistory {
  readonly past: readonly PastSession[];
  readonly rest: KeptRest;
  readonly #path: string;

  /** Throws EarshotError `file-not-private` or `home-unusable`. What makes no sense is forgotten. */
  constructor(home: string, now: number) {
    makePrivateFolder(join(home, "node"));
    this.#path = join(home, "node", "history.json");
    const { past, rest } = parseHistory(readPrivateFile(this.#path)?.toString("utf8"), now);
    this.past = past;
    this.rest = rest;
  }

  /**
   * Now and then, and at the end: after a crash the last word counts. `startedAt`: of this session. Throws where it cannot be kept, as
   * on a full disk.
   */
  save(startedAt: number, now: number, address: string, rest: KeptRest): void {
    const session: PastSession = { startedAt, endedAt: Math.max(now, startedAt), address };
    const sessions = [...this.past, session].slice(-MAX_PAST_SESSIONS);
    writePrivateFile(this.#path, `${JSON.stringify({ sessions, ...rest })}\n`);
  }
}

function parseHistory(text: string | undefined, now: number): { past: PastSession[]; rest: KeptRest } {
  const none = { past: [], rest: { demotions: 0, holdUntil: 0 } };
  if (text === undefined) return none;
  try {
    const { sessions, demotions, holdUntil } = JSON.parse(text) as Record<string, unknown>;
    if (!Array.isArray(sessions)) return none;
    const past = sessions.filter((one) => isSession(one, now)).slice(-MAX_PAST_SESSIONS);
    const isRest = isCount(demotions) && isCount(holdUntil);
    return { past, rest: isRest ? { demotions, holdUntil } : none.rest };
  } catch {
    return none;
  }
}

function isSession(value: unknown, now: number): value is PastSession {
  if (typeof value !== "object" || value === null) return false;
  const { startedAt, endedAt, address } = value as Record<string, unknown>;
  const isTimed = isCount(startedAt) && isCount(endedAt) && startedAt <= endedAt && endedAt <= now;
  return isTimed && typeof address === "string" && address.length <= MAX_ADDRESS_CHARS;
}

const isCount = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value) && value >= 0;
