import fc from "fast-check";
import { expect, test } from "vitest";
import { formatDhtAddress, hostOfUrl, isDhtAddress, isNodeUrl, parseDhtAddress } from "./addresses.ts";

test.each([
  ["wss://node.example/edge", "node.example"],
  ["ws://127.0.0.1:7400/edge", "127.0.0.1"],
  ["wss://[2001:db8::1]:443/", "2001:db8::1"],
  ["ws://localhost", "localhost"],
  ["wss://a-b.example?x=1", "a-b.example"],
  [`wss://a.example/${"x".repeat(128 - 16)}`, "a.example"],
])("%s names a node", (url, host) => {
  expect(isNodeUrl(url)).toBe(true);
  expect(hostOfUrl(url)).toBe(host);
});

test.each([
  "",
  "wss://",
  "wss:///edge",
  "wss:node.example",
  "https://node.example/",
  "javascript:alert(1)",
  "WSS://node.example/",
  "wss://user@node.example/",
  "wss://node.example:0/",
  "wss://node.example:65536/",
  "wss://node.example:/",
  "wss://node.example/#token",
  "wss://node.example/a b",
  "wss://node.example/\n",
  "wss://nöde.example/",
  "wss://-a.example/",
  "wss://a..example/",
  "wss://[::1/",
  "wss://[1:2]/",
  "wss://a\\b/",
  `wss://a.example/${"x".repeat(129 - 16)}`,
])("%j names no node", (url) => {
  expect(isNodeUrl(url)).toBe(false);
  expect(hostOfUrl(url)).toBeUndefined();
});

test.each([
  "",
  "192.0.2.7",
  "192.0.2.7:0",
  "192.0.2.7:065",
  "192.0.2.7:65536",
  "192.0.2.256:1",
  "192.0.2.7:1 ",
  "a.example:1",
  "2001:db8::1:80",
  "[2001:db8::1]",
  "[192.0.2.7]:1",
  "[::1%lo]:1",
  "[]:1",
  ":1",
  "192.0.2.7:-1",
  "192.0.2.7:1\n",
  "\u0661.0.0.1:1",
])("%j is no address in the DHT", (text) => {
  expect(parseDhtAddress(text)).toMatchObject({ ok: false, code: "bad-text" });
  expect(isDhtAddress(text)).toBe(false);
});

test("an address in the DHT reads back as it was written", () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), fc.integer({ min: 1, max: 65_535 }), (host, port) => {
      expect(parseDhtAddress(formatDhtAddress(host, port))).toEqual({ ok: true, value: { host, port } });
    }),
  );
});

test("whatever names a node is a URL with that host to a browser", () => {
  const part = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}[a-z]$/).filter((text) => !text.startsWith("xn--"));
  const url = fc
    .tuple(fc.constantFrom("ws", "wss"), part, fc.integer({ min: 1, max: 65_535 }), fc.webPath())
    .map(([scheme, host, port, path]) => `${scheme}://${host}.example:${port}${path}`);
  fc.assert(
    fc.property(url, (text) => {
      if (isNodeUrl(text)) expect(new URL(text).hostname).toBe(hostOfUrl(text));
    }),
  );
});

test("any text is answered", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (junk) => {
      expect(typeof isNodeUrl(`wss://${junk}`)).toBe("boolean");
      expect(isDhtAddress(junk)).toBe(false);
    }),
  );
  for (const text of [`wss://${"a-".repeat(60)}`, `wss://${"a.".repeat(60)}!`, `[${":".repeat(62)}`])
    expect([isNodeUrl(text), isDhtAddress(text)]).toEqual([false, false]);
});
