import { afterEach, beforeEach, describe, expect, it } from "vitest";

/** The SDK's `Storage`, by shape: the testkit knows no package above core. */
export interface StorageUnderTest {
  get(key: string): Promise<Uint8Array | undefined>;
  set(key: string, value: Uint8Array): Promise<void>;
  delete(key: string): Promise<void>;
  keys(prefix: string): Promise<string[]>;
  close(): Promise<void>;
}

/** How a suite gets at an implementation. `open` twice with a close in between sees the same content, unless `persists` is false. */
export interface StorageMaker {
  open(): Promise<StorageUnderTest>;
  cleanUp(): Promise<void>;
  readonly persists?: boolean;
}

/** What every storage adapter must do. */
export function storageCompliance(name: string, make: () => Promise<StorageMaker>): void {
  describe(`storage compliance: ${name}`, () => {
    let maker: StorageMaker;
    let storage: StorageUnderTest;
    beforeEach(async () => {
      maker = await make();
      storage = await maker.open();
    });
    afterEach(async () => {
      await storage.close();
      await maker.cleanUp();
    });

    it("gives back what was set, and undefined for what was not", async () => {
      await storage.set("a", Uint8Array.of(1, 2, 3));
      expect(await storage.get("a")).toEqual(Uint8Array.of(1, 2, 3));
      expect(await storage.get("b")).toBeUndefined();
    });

    it("keeps an empty value apart from no value", async () => {
      await storage.set("empty", new Uint8Array());
      expect(await storage.get("empty")).toEqual(new Uint8Array());
    });

    it("is not changed through the arrays it was given or gave", async () => {
      const value = Uint8Array.of(1, 2);
      await storage.set("a", value);
      value[0] = 9;
      const read = await storage.get("a");
      if (read) read[1] = 9;
      expect(await storage.get("a")).toEqual(Uint8Array.of(1, 2));
    });

    it("lets the last of several writes at once win", async () => {
      await Promise.all([1, 2, 3, 4, 5].map((n) => storage.set("a", Uint8Array.of(n))));
      expect(await storage.get("a")).toEqual(Uint8Array.of(5));
    });

    it("deletes, also what is not there", async () => {
      await storage.set("a", Uint8Array.of(1));
      await storage.delete("a");
      await storage.delete("never");
      expect(await storage.get("a")).toBeUndefined();
      expect(await storage.keys("")).toEqual([]);
    });

    keyCases(() => storage);

    it("keeps its content over close and open", async () => {
      if (maker.persists === false) return;
      await storage.set("a", Uint8Array.of(42));
      await storage.close();
      storage = await maker.open();
      expect(await storage.get("a")).toEqual(Uint8Array.of(42));
    });
  });
}

/** Of keys and sizes. */
function keyCases(storage: () => StorageUnderTest): void {
  it("lists keys by prefix", async () => {
    for (const key of ["prekey/1", "prekey/2", "prekeys", "other"]) await storage().set(key, Uint8Array.of(1));
    expect((await storage().keys("prekey/")).sort()).toEqual(["prekey/1", "prekey/2"]);
    expect((await storage().keys("")).length).toBe(4);
  });

  it("takes any text as a key, path-like, upper case and non-ASCII ones included", async () => {
    const keys = ["../../escape", "a/../b", "A", "a", ".", "..", "ключ", "a b%2f", "~x", "con:aux"];
    for (const [i, key] of keys.entries()) await storage().set(key, Uint8Array.of(i));
    for (const [i, key] of keys.entries()) expect(await storage().get(key)).toEqual(Uint8Array.of(i));
    expect((await storage().keys("")).sort()).toEqual([...keys].sort());
  });

  it("holds a megabyte", async () => {
    const big = new Uint8Array(1 << 20).fill(7);
    await storage().set("big", big);
    expect((await storage().get("big"))?.length).toBe(big.length);
  });
}
