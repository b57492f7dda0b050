import { expect, it } from "vitest";
import { toHex } from "@earshot/core";
import { storageCompliance } from "@earshot/testkit";
import { StorageError } from "../errors.ts";
import { indexedDbStorage } from "./indexed-db-storage.ts";

let count = 0;
const halves = async (salt: Uint8Array): Promise<Uint8Array> => Uint8Array.from(salt, (byte) => byte ^ 0xa5);

/** Run on fake-indexeddb in Node and on a real browser alike. */
export function indexedDbCases(): void {
  storageCompliance("IndexedDB", async () => {
    const name = `compliance-${count++}`;
    return {
      open: () => indexedDbStorage({ name, keyHalf: halves }),
      cleanUp: async () => void indexedDB.deleteDatabase(name),
    };
  });

  it("does not open without the daemon's half, and says which is missing or wrong", async () => {
    const name = `halves-${count++}`;
    const storage = await indexedDbStorage({ name, keyHalf: halves });
    await storage.set("a", Uint8Array.of(1));
    await storage.close();
    const wrong = indexedDbStorage({ name, keyHalf: async () => new Uint8Array(32) });
    await expect(wrong).rejects.toMatchObject({ code: "storage-locked" });
    const gone = indexedDbStorage({
      name,
      keyHalf: () => Promise.reject(new StorageError("key-half-unavailable", "no daemon")),
    });
    await expect(gone).rejects.toMatchObject({ code: "key-half-unavailable" });
    const again = await indexedDbStorage({ name, keyHalf: halves });
    expect(await again.get("a")).toEqual(Uint8Array.of(1));
    await again.close();
  });

  it("leaves no secret readable in the database, and refuses values that were altered or swapped", async () => {
    const name = `sealed-${count++}`;
    const secret = Uint8Array.from({ length: 32 }, (_, i) => i + 1);
    const storage = await indexedDbStorage({ name, keyHalf: halves });
    await storage.set("seed", secret);
    await storage.set("other", Uint8Array.of(1));
    await storage.close();
    const { openDB } = await import("idb");
    const raw = await openDB(name);
    const row = await raw.get("keys", "wrapping");
    expect(row.browserHalf.extractable).toBe(false);
    const sealed: Uint8Array = await raw.get("values", "seed");
    expect(toHex(sealed)).not.toContain(toHex(secret));
    await raw.put("values", await raw.get("values", "other"), "seed");
    raw.close();
    const again = await indexedDbStorage({ name, keyHalf: halves });
    await expect(again.get("seed")).rejects.toMatchObject({ code: "storage-failed" });
    await again.close();
  });
}
