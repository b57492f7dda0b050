import { encodeCard, publicKeyOf } from "@earshot/core";
import { expect, it } from "vitest";
import type { ClientOptions, Storage } from "./api.ts";
import { createClient } from "./create-client.ts";
import { memoryStorage } from "./memory-storage.ts";

const PEOPLE = 2;

const nowhere: Omit<ClientOptions, "storage"> = {
  transport: { connect: () => Promise.reject(new Error("not started")) },
  peerConnection: () => {
    throw new Error("no calls");
  },
  node: { url: "http://127.0.0.1:1" },
};

/** Breaks at the write after `writes`, and stays broken, as a process that was ended. */
function crashing(storage: Storage, writes: number): Storage {
  let left = writes;
  const write = async <T>(work: () => Promise<T>): Promise<T> => {
    left -= 1;
    if (left < 0) throw new Error("crash");
    return work();
  };
  return {
    ...storage,
    get: (key) => storage.get(key),
    keys: (prefix) => storage.keys(prefix),
    close: async () => {},
    set: (key, value) => write(() => storage.set(key, value)),
    delete: (key) => write(() => storage.delete(key)),
  };
}

async function someonesBackup() {
  const client = await createClient({ ...nowhere, storage: memoryStorage(), name: "Ann" });
  for (let i = 1; i <= PEOPLE; i++) {
    const accountKey = publicKeyOf(new Uint8Array(32).fill(i));
    await client.addContact(encodeCard({ accountKey, name: `person ${i}`, homes: [] }));
  }
  const restore = { phrase: await client.recoveryPhrase(), backup: await client.backup() };
  const ids = client.contacts().map(({ id }) => id);
  await client.stop();
  return { restore, ids: ids.toSorted(), id: client.id };
}

it("a restore that breaks off anywhere is made again, or goes on by itself, and loses nobody", async () => {
  const { restore, ids, id } = await someonesBackup();
  expect(ids).toHaveLength(PEOPLE);
  for (const again of [{ restore }, {}])
    for (let writes = 0, done = false; !done; writes++) {
      const storage = memoryStorage();
      const first = await createClient({ ...nowhere, storage: crashing(storage, writes), restore }).catch(
        () => undefined,
      );
      done = first !== undefined;
      if (done) break;
      const second = await createClient({ ...nowhere, storage, ...again });
      const restored = second.contacts().map((contact) => contact.id);
      // Without the phrase, what broke off before there was an identity is a new one.
      if ("restore" in again || second.id === id) {
        expect([second.id, restored.toSorted()], `after ${writes} writes`).toEqual([id, ids]);
        await expect(createClient({ ...nowhere, storage, restore })).rejects.toMatchObject({
          code: "already-restored",
        });
      } else expect(restored).toEqual([]);
    }
});
