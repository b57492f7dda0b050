import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { networkOptions } from "./network-options.ts";

const folder = mkdtempSync(join(tmpdir(), "earshot-network-"));
afterAll(() => rmSync(folder, { recursive: true }));
const file = join(folder, "net.json");
writeFileSync(
  file,
  JSON.stringify({ name: "lab", key: "5f".repeat(32), bootstrap: ["127.0.0.1:4000"], prefixLimits: false }),
  { mode: 0o600 },
);

describe("the network that a node joins", () => {
  it("is the open one unless told otherwise, and nobody is served unasked", () => {
    const { network, role } = networkOptions({}, {});
    expect(network).toMatchObject({ name: "open", private: false });
    expect(role).toBe("volunteer");
    expect(networkOptions({}, {}).mapPorts).toBeUndefined();
    expect(networkOptions({ mapPorts: false }, {}).mapPorts).toBe(false);
  });

  it("is none with --alone, or where the environment says so", () => {
    expect(networkOptions({ alone: true }, {}).network).toBeUndefined();
    expect(networkOptions({ operator: "me" }, { EARSHOT_ALONE: "1" })).toEqual({ operator: "me" });
    expect(networkOptions({}, { EARSHOT_ALONE: "0" }).network).toBeDefined();
  });

  it("is the file's where one is named, whatever the environment says", () => {
    const { network } = networkOptions(
      { network: file, dhtPort: "4001", dhtHost: "127.0.0.1" },
      { EARSHOT_ALONE: "1" },
    );
    expect(network).toMatchObject({ name: "lab", private: true, dhtPort: 4001, dhtHost: "127.0.0.1" });
  });

  it("has supernodes to begin from where they are named, before those of its file", () => {
    const [typed, written] = ["a", "b"].map((host) => `wss://${host}.example/edge#${"5f".repeat(32)}`);
    expect(networkOptions({ supernode: [typed as string] }, {}).network?.supernodes).toMatchObject([
      { url: "wss://a.example/edge", supernodeKey: new Uint8Array(32).fill(0x5f) },
    ]);
    const both = join(folder, "both.json");
    writeFileSync(both, JSON.stringify({ name: "lab", key: "5f".repeat(32), supernodes: [written] }), { mode: 0o600 });
    const { network } = networkOptions({ network: both, supernode: [typed as string] }, {});
    expect(network?.supernodes.map(({ url }) => url)).toEqual(["wss://a.example/edge", "wss://b.example/edge"]);
  });

  it("is not guessed where what was typed cannot be meant", () => {
    const bad = join(folder, "bad.json");
    writeFileSync(bad, "{}", { mode: 0o600 });
    for (const choice of [
      { network: file, alone: true },
      { network: join(folder, "none.json") },
      { network: bad },
      { dhtPort: "99999" },
      { operator: "x".repeat(49) },
      { supernode: ["wss://calls.example/edge"] },
      { supernode: Array(17).fill(`wss://calls.example/edge#${"5f".repeat(32)}`) as string[] },
    ])
      expect(() => networkOptions(choice, {})).toThrow(expect.objectContaining({ code: "bad-usage" }));
  });

  it.runIf(process.platform !== "win32")("is not a file's whose key everybody on this machine can read", () => {
    const open = join(folder, "open.json");
    writeFileSync(open, readFileSync(file), { mode: 0o600 });
    for (const mode of [0o644, 0o604, 0o620]) {
      chmodSync(open, mode);
      expect(() => networkOptions({ network: open }, {})).toThrow(
        expect.objectContaining({ code: "file-not-private" }),
      );
    }
    chmodSync(open, 0o640); // a service's group may
    expect(networkOptions({ network: open }, {}).network).toMatchObject({ name: "lab" });
  });
});
