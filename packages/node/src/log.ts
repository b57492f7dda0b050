/**
 * The daemon's log lines: an event's name and fields that can only be numbers, flags or codes from a fixed list. Ids,
 * addresses, keys and content have no type here, so that they cannot be logged by accident.
 */
import type { RefusalCode } from "@earshot/core";
import { pino } from "pino";

type LogEvent =
  | "started"
  | "stopping"
  | "stopped"
  | "connection-opened"
  | "connection-closed"
  | "refused"
  | "shed"
  | "mailbox-opened"
  | "swept"
  | "stun-unavailable"
  | "run-file-unavailable"
  | "worker-started"
  | "worker-lost"
  | "certificate-changed"
  | "certificate-rejected"
  | "supernodes-forgotten"
  | "supernodes-not-saved"
  | "relay-started"
  | "relay-unavailable"
  | "role-serving"
  | "role-draining"
  | "role-ended"
  | "role-not-changed"
  | "store-failed"
  | "failed";

export interface LogFields {
  readonly code?: RefusalCode | CloseReason;
  readonly count?: number;
  readonly bytes?: number;
  readonly connections?: number;
  readonly seconds?: number;
  readonly port?: number;
  /** A system error's code such as EADDRINUSE: letters, digits and underscores only. */
  readonly errorCode?: string;
}

export type CloseReason =
  | "closed"
  | "bad-frame"
  | "slow"
  | "idle"
  | "no-hello"
  | "too-many-refusals"
  | "shutdown"
  | "binary-only";

export interface NodeLog {
  debug(event: LogEvent, fields?: LogFields): void;
  info(event: LogEvent, fields?: LogFields): void;
  warn(event: LogEvent, fields?: LogFields): void;
  error(event: LogEvent, fields?: LogFields): void;
}

/** JSON lines by pino, to `destination` (standard error by default). Neither host name nor pid is added. */
export function createNodeLog(level = "info", destination: { write(line: string): unknown } = process.stderr): NodeLog {
  const logger = pino(
    { level, base: null, messageKey: "event" },
    { write: (line: string) => void destination.write(line) },
  );
  const at =
    (method: "debug" | "info" | "warn" | "error") =>
    (event: LogEvent, fields: LogFields = {}) =>
      logger[method](fields, event);
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

/** `ENOENT` and the like; never a message, which may hold a path or an address. */
export function errorCodeOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" && /^[A-Z0-9_]{1,40}$/i.test(code) ? code : "unknown";
}
