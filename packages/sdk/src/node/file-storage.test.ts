import { spawn } from "node:child_process";
import { chmod, mkdir, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { storageCompliance } from "@earshot/testkit";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { memoryStorage } from "../memory-storage.ts";
import { fileNameOf, keyOfFileName } from "./file-name.ts";
import { fileStorage } from "./file-storage.ts";

storageCompliance("files", async () => {
  const home = await mkdtemp(join(tmpdir(), "earshot-storage-"));
  return { open: () => fileStorage(home), cleanUp: () => rm(home, { recursive: true, force: true }) };
});

storageCompliance("memory", async () => ({
  open: async () => memoryStorage(),
  cleanUp: async () => {},
  persists: false,
}));

describe("file storage", () => {
  let home: string;
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), "earshot-storage-"));
  });
  afterEach(() => rm(home, { recursive: true, force: true }));

  it("lets nobody else on the machine read, whatever the folder's mode was", async () => {
    await mkdir(join(home, "client"));
    await chmod(join(home, "client"), 0o755);
    const storage = await fileStorage(home);
    await storage.set("device/seed", new Uint8Array(32));
    for (const name of await readdir(join(home, "client"))) {
      expect((await stat(join(home, "client", name))).mode & 0o777, name).toBe(0o600);
    }
    expect((await stat(join(home, "client"))).mode & 0o777).toBe(0o700);
    await storage.close();
  });

  it("is refused to a second user while the first lives, and free again after", async () => {
    const first = await fileStorage(home);
    await expect(fileStorage(home)).rejects.toMatchObject({ code: "storage-in-use" });
    await first.close();
    await (await fileStorage(home)).close();
  });

  it("takes over the lock of a process that is gone", async () => {
    const child = spawn(process.execPath, ["-e", ""]);
    await new Promise((resolve) => child.on("exit", resolve));
    await mkdir(join(home, "client"));
    await writeFile(join(home, "client", "lock"), `${child.pid} 1`);
    await (await fileStorage(home)).close();
  });

  it("forgets writes that a crash cut off", async () => {
    const storage = await fileStorage(home);
    await storage.set("a", Uint8Array.of(1));
    await storage.close();
    await writeFile(join(home, "client", "tmp-write"), "half");
    const again = await fileStorage(home);
    expect(await again.get("a")).toEqual(Uint8Array.of(1));
    expect(await readdir(join(home, "client"))).not.toContain("tmp-write");
    await again.close();
  });

  it("names files so that every key comes back and none leaves the folder", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 15 }), (key) => {
        const name = fileNameOf(key);
        expect(name).not.toMatch(/[/\\.A-Z]/);
        expect(keyOfFileName(name)).toBe(key);
      }),
    );
  });
});
