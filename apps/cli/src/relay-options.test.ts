import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { relayOptions } from "./relay-options.ts";

const folder = mkdtempSync(join(tmpdir(), "earshot-relay-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

test("a node relays only where it is told to", () => {
  expect(relayOptions({})).toEqual({});
  expect(relayOptions({ relay: ["203.0.113.5", "2001:db8::5"] })).toEqual({
    relay: {
      addresses: [
        { host: "203.0.113.5", announced: "203.0.113.5" },
        { host: "2001:db8::5", announced: "2001:db8::5" },
      ],
      port: 3_478,
    },
  });
  expect(relayOptions({ relay: ["203.0.113.5"], relayBind: "10.0.0.5", relayPrivate: true })).toEqual({
    relay: {
      addresses: [{ host: "10.0.0.5", announced: "203.0.113.5" }],
      port: 3_478,
      peers: { privateNetworks: true },
    },
  });
});

test("a node finds out its address itself, where it is told to", () => {
  expect(relayOptions({ relay: ["auto"] })).toEqual({ relay: { auto: true, port: 3_478 } });
  expect(relayOptions({ relay: ["auto"], relayPort: "3479" })).toEqual({ relay: { auto: true, port: 3_479 } });
  for (const more of [{ relayBind: "10.0.0.5" }, { relayTlsPort: "443" }, { relay: ["auto", "203.0.113.5"] }])
    expect(() => relayOptions({ relay: ["auto"], ...more })).toThrow(/--relay-port alone/);
});

test("TLS and another's TURN server are said in full", () => {
  const tls = { relayTlsCert: "c", relayTlsKey: "k", relayTlsName: "turn.example", relayTlsPort: "443" };
  expect(relayOptions({ relay: ["203.0.113.5"], ...tls }).relay).toMatchObject({
    tls: { certFile: "c", keyFile: "k", name: "turn.example", port: 443 },
  });
  const relaySecretFile = file("secret", "north\n");
  expect(relayOptions({ relayUrl: ["turn:turn.example:3478?transport=udp"], relaySecretFile })).toEqual({
    relay: { urls: ["turn:turn.example:3478?transport=udp"], secret: "north" },
  });
});

test.each([
  [{ relay: ["home"] }, /IP address/],
  [{ relay: ["0.0.0.0"] }, /IP address/],
  [{ relay: ["203.0.113.5", "203.0.113.6"] }, /one address of IPv4/],
  [{ relay: ["203.0.113.5", "2001:db8::5"], relayBind: "10.0.0.5" }, /--relay-bind/],
  [{ relayPort: "9" }, /--relay 203/],
  [{ relay: ["203.0.113.5"], relayPort: "x" }, /--relay-port/],
  [{ relay: ["203.0.113.5"], relayTlsCert: "c" }, /go together/],
  [{ relay: ["203.0.113.5"], relayTlsCert: "c", relayTlsKey: "k", relayTlsName: "a b" }, /host name/],
  [{ relayUrl: ["turn:turn.example"] }, /--relay-secret-file/],
  [{ relaySecretFile: "x" }, /--relay-url/],
  [{ relayUrl: ["http://turn.example"], relaySecretFile: "x" }, /turn:turn.example/],
  [{ relayUrl: ["turn:turn.example"], relaySecretFile: "/nowhere" }, /cannot be read/],
  [{ relayUrl: ["turn:turn.example"], relay: ["203.0.113.5"], relaySecretFile: "x" }, /one of them/],
])("%j is refused with what to do", (choice, message) => {
  expect(() => relayOptions(choice)).toThrow(message);
});

test("a secret file without a secret is refused", () => {
  const relaySecretFile = file("empty", "\nnorth\n");
  expect(() => relayOptions({ relayUrl: ["turn:turn.example"], relaySecretFile })).toThrow(/no secret/);
});
