/** Asking DNS for a name's TXT record. Unsigned: docs/protocol/names.md section 3 says what that is worth. */
import { Resolver } from "node:dns/promises";
import { NAME_TXT_MAX } from "@earshot/core";
import { NAME_TIMEOUT_MS } from "./name-file.ts";

/** Servers that are asked in turn within the whole time: one that is down must not take all of it. */
const TRIES = 3;

/** DNS's way to say that there is no such record. */
const ABSENT: readonly string[] = ["ENOTFOUND", "ENODATA"];

export interface NameTxtOptions {
  /** For tests: `ip:port`. */
  readonly servers?: readonly string[];
  readonly timeoutMs?: number;
}

/** The records as their chunks; null: there is none; undefined: no answer now. */
export async function resolveNameTxt(host: string, options: NameTxtOptions): Promise<string[][] | null | undefined> {
  const timeoutMs = options.timeoutMs ?? NAME_TIMEOUT_MS;
  const resolver = new Resolver({ timeout: Math.ceil(timeoutMs / TRIES), tries: 1 });
  if (options.servers) resolver.setServers(options.servers);
  const timer = setTimeout(() => resolver.cancel(), timeoutMs);
  try {
    const records = await resolver.resolveTxt(host);
    return records.slice(0, NAME_TXT_MAX);
  } catch (error) {
    return ABSENT.includes((error as { code?: string }).code ?? "") ? null : undefined;
  } finally {
    clearTimeout(timer);
  }
}
