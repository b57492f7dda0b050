import { describe, expect, test } from "vitest";
import {
  createNetworkConfig,
  formatNetworkConfig,
  formatNamedSupernode,
  OPEN_NETWORK,
  parseHostPort,
  parseNamedSupernode,
  parseNetworkConfig,
} from "./network-config.ts";

test("a private network's file gives back what was made", () => {
  const made = createNetworkConfig({
    name: "family",
    bootstrap: ["192.0.2.1:49737", "a.example:1"],
    supernodes: [`wss://calls.example/edge#${"5f".repeat(32)}`],
    prefixLimits: false,
  });
  expect(parseNetworkConfig(formatNetworkConfig(made))).toEqual(made);
  expect(made).toMatchObject({
    private: true,
    prefixLimits: false,
    bootstrap: [
      { host: "192.0.2.1", port: 49737 },
      { host: "a.example", port: 1 },
    ],
    supernodes: [{ url: "wss://calls.example/edge", dht: "", supernodeKey: new Uint8Array(32).fill(0x5f) }],
  });
  expect(formatNetworkConfig(createNetworkConfig({ name: "x" }))).not.toContain("supernodes");
  expect(createNetworkConfig({ name: "x" }).key).not.toEqual(createNetworkConfig({ name: "x" }).key);
  expect(OPEN_NETWORK).toMatchObject({ private: false, prefixLimits: true });
});

describe("a file that cannot be used says what to mend", () => {
  const key = "ab".repeat(32);
  test.each([
    ["{", "JSON"],
    ["[]", "object"],
    ["null", "object"],
    [JSON.stringify({ key }), "name"],
    [JSON.stringify({ name: "x".repeat(49), key }), "name"],
    [JSON.stringify({ name: "x", key: "abc" }), "64 hex digits"],
    [JSON.stringify({ name: "x", key, bootstrap: "a:1" }), "bootstrap"],
    [JSON.stringify({ name: "x", key, bootstrap: ["a"] }), "host:port"],
    [JSON.stringify({ name: "x", key, bootstrap: ["a:0"] }), "host:port"],
    [JSON.stringify({ name: "x", key, bootstrap: ["a:65536"] }), "host:port"],
    [JSON.stringify({ name: "x", key, bootstrap: Array(17).fill("a:1") }), "at most 16"],
    [JSON.stringify({ name: "x", key, supernodes: {} }), "at most 16"],
    [JSON.stringify({ name: "x", key, supernodes: [`https://a.example/edge#${key}`] }), "wss://host/edge#key"],
    [JSON.stringify({ name: "x", key, supernodes: Array(17).fill(`wss://a.example/edge#${key}`) }), "at most 16"],
    [JSON.stringify({ name: "x", key, prefixLimits: 1 }), "true or false"],
    [JSON.stringify({ name: "x", key, extra: 1 }), "extra"],
    [" ".repeat(9_000), "bytes"],
  ])("%s", (text, word) => {
    expect(() => parseNetworkConfig(text)).toThrow(
      expect.objectContaining({ code: "network-invalid", message: expect.stringContaining(word) }),
    );
  });
});

test("host and port", () => {
  expect(parseHostPort("127.0.0.1:1")).toEqual({ host: "127.0.0.1", port: 1 });
  for (const bad of ["", ":1", "a:", "a", "a:b", "[::1]:1", "a:1:2", "-a:1", "a:1 "])
    expect(parseHostPort(bad)).toBeUndefined();
});

test("a supernode by its URL and key", () => {
  const key = "0a".repeat(32);
  const text = `ws://[2001:db8::1]:443/edge#${key}`;
  expect(formatNamedSupernode(parseNamedSupernode(text) as NonNullable<ReturnType<typeof parseNamedSupernode>>)).toBe(
    text,
  );
  for (const bad of [
    "",
    key,
    "wss://a.example/edge",
    `wss://a.example/edge#${key}0`,
    `wss://a.example/edge#${key.slice(1)}`,
    `wss://a.example/#${key}`,
    `wss://you@a.example/edge#${key}`,
    `wss://a.example/edge#x#${key}`,
    `wss://${"a".repeat(120)}.example/edge#${key}`,
  ])
    expect(parseNamedSupernode(bad)).toBeUndefined();
});
