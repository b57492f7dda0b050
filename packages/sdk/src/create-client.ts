import { nobleBackend } from "@earshot/core";
import type { Client, ClientEvents, ClientOptions } from "./api.ts";
import { assemble } from "./wiring/assemble.ts";
import { EarshotClient } from "./client.ts";
import { Emitter } from "./emitter.ts";
import { messageOf } from "./errors.ts";
import { finishRestore } from "./identity/open-identity.ts";
import { systemClock, systemRandom } from "./system-ports.ts";

/**
 * A client over the given ports: loads its identity from the storage, makes one in empty storage, or restores one. Nothing
 * connects before `start()`. The entry points `@earshot/sdk/browser` and `@earshot/sdk/node` have ready-made ports.
 *
 * Throws StorageError (`storage-damaged`, …), NodeError `bad-node-url`, ClientError (`bad-name`, `already-restored`),
 * RefusedError (`phrase-…`, `backup-…`).
 */
export async function createClient(options: ClientOptions): Promise<Client> {
  const events = new Emitter<ClientEvents>((error) =>
    options.log?.({ event: "listener-error", detail: messageOf(error) }),
  );
  const ports = {
    storage: options.storage,
    clock: options.clock ?? systemClock,
    random: options.random ?? systemRandom,
    signatures: options.signatures ?? nobleBackend,
  };
  const parts = await assemble(options, ports, events);
  await parts.contacts.resume();
  if (parts.backup) {
    await parts.contacts.restore(parts.backup.contacts);
    await finishRestore(ports);
  }
  const client = new EarshotClient(parts, events);
  client.endWithIt(options.onNetworkChange?.(() => client.handleNetworkChange()) ?? (() => {}));
  return client;
}
