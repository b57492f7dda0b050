import { encodeCard, encodeId, publicKeyOf } from "@earshot/core";
import type { Contact } from "@earshot/sdk";
import { expect, test } from "vitest";
import { checkCard, whoIsMeant } from "./contact-lookup.ts";
import { UsageError } from "./usage-error.ts";

const keyOf = (n: number) => publicKeyOf(new Uint8Array(32).fill(n));
const contact = (n: number, name: string): Contact => ({ id: encodeId(keyOf(n)), name, state: "contact", addedAt: n });
const bob = contact(1, "Bob");
const carol = contact(2, "Carol");
const client = { contacts: () => [bob, carol, contact(3, "Alex"), contact(4, "alex")] };

test("a contact is meant by name, id, the id's beginning, or card", () => {
  const card = encodeCard({ accountKey: keyOf(1), name: "Someone Else", homes: [] });
  for (const text of [
    "bob",
    " BOB ",
    bob.id,
    bob.id.toUpperCase(),
    bob.id.slice(0, 12),
    card,
    `https://x.example/#card=${card}`,
  ])
    expect(whoIsMeant(client, text)).toEqual({ contact: bob });
});

const dave = encodeId(keyOf(9));

test("somebody new is meant by id or card alone", () => {
  expect(whoIsMeant(client, dave)).toEqual({ card: dave, id: dave });
  expect(() => whoIsMeant(client, "dave")).toThrow(/no contact's name, no id/);
});

test("a mistyped id is told apart from an unknown name", () => {
  const slip = bob.id.slice(0, 20) + (bob.id[20] === "q" ? "p" : "q") + bob.id.slice(21);
  expect(() => whoIsMeant(client, slip)).toThrow(/typing mistake/);
  expect(() => whoIsMeant(client, `${dave.slice(0, 40)}`)).toThrow(/not a whole id/);
  expect(() => whoIsMeant(client, "")).toThrow(expect.objectContaining({ code: "bad-usage" }));
});

test("of two with one name, none is guessed", () => {
  expect(() => whoIsMeant(client, "alex")).toThrow(/2 contacts called/);
});

test("a name at a domain means the contact that was added by it, or somebody new", () => {
  const ann: Contact = { ...contact(7, "Ann"), address: "ann@example.org" };
  const people = { contacts: () => [bob, ann] };
  expect(whoIsMeant(people, " Ann@Example.org")).toEqual({ contact: ann });
  expect(whoIsMeant(people, "bob@example.org")).toMatchObject({ card: "bob@example.org" });
  expect(() => checkCard("bob@example.org")).not.toThrow();
  expect(() => checkCard("bob")).toThrow(UsageError);
});

test("who calls themselves by a name at a domain is not who was added by it", () => {
  const ann: Contact = { ...contact(7, "Ann"), address: "ann@example.org" };
  const posing = contact(8, "ann@example.org");
  expect(whoIsMeant({ contacts: () => [posing, ann] }, "ann@example.org")).toEqual({ contact: ann });
  expect(whoIsMeant({ contacts: () => [posing] }, "ann@example.org")).toMatchObject({ card: "ann@example.org" });
});
