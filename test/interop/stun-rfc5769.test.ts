import { readFileSync } from "node:fs";
import { answerBinding, decodeStun, encodeStun, mappedAddressOf, unwrap } from "@earshot/core";
import { expect, test } from "vitest";

const vectors = JSON.parse(readFileSync(new URL("vectors/rfc5769.json", import.meta.url), "utf8"));
const bytesOf = (hex: string) => new Uint8Array(Buffer.from(hex, "hex"));
const textOf = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString();
const attribute = (message: { attributes: readonly { type: number; value: Uint8Array }[] }, type: number) =>
  message.attributes.find((each) => each.type === type)?.value;

test("the sample request is read, its fingerprint holds, and any altered bit breaks it", () => {
  const bytes = bytesOf(vectors.request.hex);
  const message = unwrap(decodeStun(bytes));
  expect(message.hasFingerprint).toBe(true);
  expect(textOf(attribute(message, 0x8022))).toBe(vectors.request.software);
  expect(textOf(attribute(message, 0x0006))).toBe(vectors.request.username);
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const altered = bytes.slice();
    altered[bit >> 3] = (altered[bit >> 3] as number) ^ (1 << (bit & 7));
    const read = decodeStun(altered);
    // An altered length may swallow the fingerprint; then the message no longer claims to have one.
    expect(read.ok && read.value.hasFingerprint).toBe(false);
  }
});

test.each(["ipv4Response", "ipv6Response"])("%s carries the address that the RFC says", (name) => {
  const vector = vectors[name];
  const message = unwrap(decodeStun(bytesOf(vector.hex)));
  const mapped = unwrap(mappedAddressOf(message));
  expect({ address: Buffer.from(mapped.address).toString("hex"), port: mapped.port }).toEqual({
    address: vector.address,
    port: vector.port,
  });
  // Padding there is spaces where ours is zeros; everything else is the same.
  expect(encodeStun(message).length).toBe(vector.hex.length / 2);
});

test.each(["ipv4Response", "ipv6Response"])("answering the sample request gives the attribute of %s", (name) => {
  const { address, port, hex } = vectors[name];
  // The sample request says ICE-CONTROLLED, which is comprehension-optional.
  const answer = unwrap(answerBinding(bytesOf(vectors.request.hex), { address: bytesOf(address), port }));
  const mine = unwrap(decodeStun(answer));
  expect(attribute(mine, 0x0020)).toEqual(attribute(unwrap(decodeStun(bytesOf(hex))), 0x0020));
  expect(mine.hasFingerprint).toBe(true);
});
