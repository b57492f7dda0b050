import { UsageError } from "./usage-error.ts";

const MAX_PORT = 65_535;

/** Throws {@link UsageError}. */
export function parsePort(text: string, option = "--port"): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port > MAX_PORT)
    throw new UsageError(`${option} takes a number from 0 (any free port) to ${MAX_PORT}, not "${text}".`);
  return port;
}
