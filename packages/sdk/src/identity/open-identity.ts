import { type BackupContent, equalBytes, unwrap } from "@earshot/core";
import type { ClientOptions } from "../api.ts";
import { ClientError } from "../errors.ts";
import { Identity, type IdentityPorts } from "./identity.ts";

/** What was found in the storage, or made. */
export interface OpenedIdentity {
  readonly identity: Identity;
  /** Of a restore: whom to add again. */
  readonly backup?: BackupContent;
}

/** The backup, sealed as it was given, from before there is an identity until its contacts are stored. */
const UNFINISHED = "restoring";

/**
 * The stored identity, a restored one, or a new one. Throws {@link ClientError} `already-restored` where a restore meets a
 * storage that holds an identity; RefusedError (`phrase-…`, `backup-…`) where what was given does not restore.
 */
export async function openIdentity(
  ports: IdentityPorts,
  { name = "", restore }: Pick<ClientOptions, "name" | "restore">,
): Promise<OpenedIdentity> {
  const { storage } = ports;
  const stored = await Identity.load(ports);
  const unfinished = await storage.get(UNFINISHED);
  if (stored && unfinished) return goOn(stored, unfinished, restore);
  if (stored && restore) throw alreadyRestored();
  if (stored) return { identity: stored };
  if (unfinished) await storage.delete(UNFINISHED);
  if (!restore) return { identity: await Identity.create(ports, name) };
  const { openBackup, seedOfPhrase } = await import("./recovery.ts");
  const seed = unwrap(seedOfPhrase(restore.phrase));
  const backup = restore.backup ? unwrap(openBackup(seed, restore.backup)) : undefined;
  if (restore.backup) await storage.set(UNFINISHED, restore.backup);
  // Not joined to the list of the backup's time: the account may have gone further, and a list that forks is refused for good.
  const identity = await Identity.create(ports, name || (backup?.name ?? ""), seed, backup?.deviceList);
  return backup ? { identity, backup } : { identity };
}

/** To be called once the contacts of a restore are stored. */
export function finishRestore({ storage }: IdentityPorts): Promise<void> {
  return storage.delete(UNFINISHED);
}

/** A restore that broke off after its identity was stored: its contacts are still to come. */
async function goOn(
  identity: Identity,
  sealed: Uint8Array,
  restore: ClientOptions["restore"],
): Promise<OpenedIdentity> {
  const { openBackup, seedOfPhrase } = await import("./recovery.ts");
  if (restore && !equalBytes(unwrap(seedOfPhrase(restore.phrase)), identity.accountSeed)) throw alreadyRestored();
  return { identity, backup: unwrap(openBackup(identity.accountSeed, sealed)) };
}

function alreadyRestored(): ClientError {
  return new ClientError("already-restored", "There is an identity here already. Restore into an empty folder.");
}
