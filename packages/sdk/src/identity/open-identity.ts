import { type BackupContent, unwrap } from "@earshot/core";
import type { ClientOptions } from "../api.ts";
import { ClientError } from "../errors.ts";
import { Identity, type IdentityPorts } from "./identity.ts";

/** What was found in the storage, or made. */
export interface OpenedIdentity {
  readonly identity: Identity;
  /** Of a restore: whom to add again. */
  readonly backup?: BackupContent;
}

/**
 * The stored identity, a restored one, or a new one. Throws {@link ClientError} `already-restored` where a restore meets a
 * storage that holds an identity; RefusedError (`phrase-…`, `backup-…`) where what was given does not restore.
 */
export async function openIdentity(
  ports: IdentityPorts,
  { name = "", restore }: Pick<ClientOptions, "name" | "restore">,
): Promise<OpenedIdentity> {
  const stored = await Identity.load(ports);
  if (stored && restore)
    throw new ClientError("already-restored", "There is an identity here already. Restore into an empty folder.");
  if (stored) return { identity: stored };
  if (!restore) return { identity: await Identity.create(ports, name) };
  const { openBackup, seedOfPhrase } = await import("./recovery.ts");
  const seed = unwrap(seedOfPhrase(restore.phrase));
  const backup = restore.backup ? unwrap(openBackup(seed, restore.backup)) : undefined;
  // Not joined to the list of the backup's time: the account may have gone further, and a list that forks is refused for good.
  const identity = await Identity.create(ports, name || (backup?.name ?? ""), seed, backup?.deviceList);
  return backup ? { identity, backup } : { identity };
}
