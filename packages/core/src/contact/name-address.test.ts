import { encodeCard, encodeId, publicKeyOf, unwrap } from "@earshot/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  formatNameAddress,
  formatNameFile,
  formatNameTxt,
  looksLikeName,
  NAME_FILE_MAX_BYTES,
  nameDnsHost,
  parseNameAddress,
  readNameFile,
  readNameTxt,
} from "./name-address.ts";

const accountKey = publicKeyOf(new Uint8Array(32).fill(1));
const id = encodeId(accountKey);
const card = encodeCard({ accountKey, name: "Ann", homes: [] });

describe("an address", () => {
  it("is a name at a domain, whatever its case", () => {
    expect(parseNameAddress(" Ann@Example.ORG ")).toEqual({ ok: true, value: { name: "ann", domain: "example.org" } });
    expect(unwrap(parseNameAddress("a_n-n@xn--bcher-kva.example")).domain).toBe("xn--bcher-kva.example");
    expect(nameDnsHost({ name: "ann", domain: "example.org" })).toBe("ann._earshot.example.org");
    expect(looksLikeName("ann@example.org")).toBe(true);
    for (const text of [id, card, "ann", "https://example.org/#card=a@b"]) expect(looksLikeName(text)).toBe(false);
  });

  it.each([
    ["nothing", ""],
    ["no name", "@example.org"],
    ["two ats", "a@b@example.org"],
    ["no dot", "ann@localhost"],
    ["an address", "ann@192.0.2.1"],
    ["an IPv6 address", "ann@[::1]"],
    ["a port", "ann@example.org:80"],
    ["a path", "ann@example.org/x"],
    ["a space", "an n@example.org"],
    ["an underscored domain", "ann@_dmarc.example.org"],
    ["an empty label", "ann@example..org"],
    ["a dot at the end", "ann@example.org."],
    ["a dot in the name", "an.n@example.org"],
    ["a look-alike", "ann@exаmple.org"],
    ["the Kelvin sign", "\u212Aate@example.org"],
    ["a long name", `${"a".repeat(33)}@example.org`],
    ["a long label", `ann@${"a".repeat(64)}.org`],
    ["a long domain", `ann@${"a.".repeat(99)}example.org`],
  ])("is refused with %s", (_, text) => {
    expect(parseNameAddress(text)).toMatchObject({ ok: false, code: "bad-text" });
  });

  it("comes back as it was, and never throws", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.emailAddress()), (text) => {
        const parsed = parseNameAddress(text);
        if (parsed.ok) expect(parseNameAddress(formatNameAddress(parsed.value))).toEqual(parsed);
      }),
    );
  });
});

describe("the file", () => {
  it("gives the card of the name", () => {
    const text = formatNameFile([{ name: "ann", card }]);
    expect(readNameFile(text, "ann")).toEqual({ ok: true, value: { card, accountKey } });
    expect(readNameFile(text, "bob")).toEqual({ ok: true, value: undefined });
    expect(readNameFile(JSON.stringify({ version: 1, names: { ann: id } }), "ann")).toMatchObject({
      value: { card: id },
    });
  });

  it.each([
    ["a page", "<html></html>"],
    ["another file", '{"hello":1}'],
    ["an array", "[1]"],
    ["nothing", ""],
    ["a flood", " ".repeat(NAME_FILE_MAX_BYTES + 1)],
    ["a name of every object", '{"version":1,"names":{}}'],
  ])("that is %s says nothing", (_, text) => {
    expect(readNameFile(text, "constructor")).toEqual({ ok: true, value: undefined });
  });

  it.each([
    ["unknown-version", { version: 2, names: {} }],
    ["bad-text", { version: 1, names: [] }],
    ["bad-text", { version: 1, names: { ann: 5 } }],
    ["bad-text", { version: 1, names: { ann: "ear1oops" } }],
    ["bad-text", { version: 1, names: { ann: "x".repeat(5_000) } }],
  ])("is refused as %s", (code, file) => {
    expect(readNameFile(JSON.stringify(file), "ann")).toMatchObject({ ok: false, code });
  });
});

describe("the TXT record", () => {
  it("gives the card, in chunks, beside others", () => {
    const chunks = [`earshot1 ${card.slice(0, 20)}`, card.slice(20)];
    expect(readNameTxt([["v=spf1 -all"], chunks])).toEqual({ ok: true, value: { card, accountKey } });
    expect(readNameTxt([["v=spf1 -all"]])).toEqual({ ok: true, value: undefined });
    const line = formatNameTxt({ name: "ann", domain: "example.org" }, `${card}${"x".repeat(300)}`);
    expect(line).toMatch(/^ann\._earshot\.example\.org\. IN TXT "earshot1 .{246}" "x+"$/);
  });

  it("is refused where there are two, or it holds no card", () => {
    expect(readNameTxt([[`earshot1 ${id}`], [`earshot1 ${id}`]])).toMatchObject({ code: "too-many" });
    expect(readNameTxt([["earshot1 nobody"]])).toMatchObject({ code: "bad-text" });
  });
});
