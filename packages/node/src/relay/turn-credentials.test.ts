import { createHmac } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { credentialFor, integrityKeyOf, issueCredential, longTermKey } from "./turn-credentials.ts";

const HOUR_MS = 3_600_000;
const bytes = (text: string) => new Uint8Array(Buffer.from(text));

test("the key of long-term credentials is RFC 8489's and RFC 5769's", () => {
  // RFC 8489 section 9.2.2, whose sample password "pass" of "user" in the realm "realm" is this MD5.
  expect(longTermKey("user", "realm", "pass").toString("hex")).toBe("8493fbc53ba582fb4c044c456bdc40eb");
});

test("names and passwords are those of coturn's shared secret", () => {
  const { username, password } = issueCredential("north", 1_800_000_000_999, Uint8Array.of(0xab, 0xcd));
  expect(username).toBe("1800000000:abcd");
  expect(password).toBe(createHmac("sha1", "north").update(username).digest("base64"));
  expect(integrityKeyOf("north", bytes(username), 1_799_999_999_999)).toEqual(
    longTermKey(username, "earshot", password),
  );
  expect(integrityKeyOf("north", bytes(username), 1_800_000_000_000)).toBeUndefined();
});

test("a mailbox gets one name at a time, which is good for an hour at least and tells nothing of the mailbox", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), fc.nat(10 * HOUR_MS), (mailboxId, at) => {
      const first = credentialFor("north", mailboxId, at, HOUR_MS);
      expect(first.expiresAtMs - at).toBeGreaterThan(HOUR_MS);
      expect(first.expiresAtMs - at).toBeLessThanOrEqual(2 * HOUR_MS);
      expect(credentialFor("north", mailboxId, at - (at % HOUR_MS), HOUR_MS)).toEqual(first);
      expect(credentialFor("north", mailboxId, at + HOUR_MS, HOUR_MS).username).not.toBe(first.username);
      expect(credentialFor("north", mailboxId.with(0, (mailboxId[0] as number) ^ 1), at, HOUR_MS).username).not.toBe(
        first.username,
      );
      expect(first.username).toMatch(/^\d+:[0-9a-f]{16}$/);
      expect(integrityKeyOf("north", bytes(first.username), at)).toBeDefined();
    }),
  );
});

test("whatever comes for a name, there is a key or none", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (name) => {
      const key = integrityKeyOf("north", name, 1_800_000_000_000);
      expect(key === undefined || key.length === 16).toBe(true);
    }),
  );
  expect(integrityKeyOf("north", bytes("1900000000:ä"), 0)).toBeUndefined();
  expect(integrityKeyOf("north", bytes("1900000000"), 0)).toBeUndefined();
});
