import fc from "fast-check";
import { expect, test } from "vitest";
import { type CallBinding, confirmHash } from "./confirm.ts";
import { testBytes } from "./testing/fixture-cases.ts";
import { callWords, nonceCommitment, nonceMatches } from "./words.ts";

const party = (label: string) => ({
  account: testBytes(`${label} account`, 32),
  device: testBytes(`${label} device`, 32),
});
const binding: CallBinding = {
  callId: testBytes("call", 16),
  caller: party("caller"),
  callee: party("callee"),
  callerSetup: testBytes("caller set-up", 60),
  calleeSetup: testBytes("callee set-up", 60),
};
const [nA, nB] = [testBytes("nA", 16), testBytes("nB", 16)];

/** The same bytes with one bit flipped. */
function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = bytes.slice();
  const at = (bit >> 3) % copy.length;
  copy[at] = (copy[at] as number) ^ (1 << (bit & 7));
  return copy;
}

/** Every input of the binding, altered in one bit. */
function alterations(bit: number): CallBinding[] {
  const { caller, callee } = binding;
  return [
    { ...binding, callId: flipped(binding.callId, bit) },
    { ...binding, caller: { ...caller, account: flipped(caller.account, bit) } },
    { ...binding, caller: { ...caller, device: flipped(caller.device, bit) } },
    { ...binding, callee: { ...callee, account: flipped(callee.account, bit) } },
    { ...binding, callee: { ...callee, device: flipped(callee.device, bit) } },
    { ...binding, callerSetup: flipped(binding.callerSetup, bit) },
    { ...binding, calleeSetup: flipped(binding.calleeSetup, bit) },
    { ...binding, caller: callee, callee: caller },
    { ...binding, callerSetup: binding.calleeSetup, calleeSetup: binding.callerSetup },
  ];
}

test("a bit's difference in anything they are bound to changes confirmation and words", () => {
  const hashes = [confirmHash("caller", binding), confirmHash("callee", binding)];
  const words = callWords(binding, nA, nB);
  fc.assert(
    fc.property(fc.nat(60 * 8 - 1), (bit) => {
      for (const other of alterations(bit)) {
        expect(confirmHash("caller", other)).not.toEqual(hashes[0]);
        expect(confirmHash("callee", other)).not.toEqual(hashes[1]);
        expect(callWords(other, nA, nB)).not.toEqual(words);
      }
      expect(callWords(binding, flipped(nA, bit), nB)).not.toEqual(words);
      expect(callWords(binding, nA, flipped(nB, bit))).not.toEqual(words);
    }),
    { numRuns: 40 },
  );
});

test("the two sides' confirmations differ, so neither can be sent back", () => {
  expect(confirmHash("caller", binding)).not.toEqual(confirmHash("callee", binding));
});

// Computed apart from this code, with OpenSSL's SHA-256 and HKDF.
test("words are four of BIP-39's, and fixed for good", () => {
  expect(callWords(binding, nA, nB)).toEqual(["force", "actual", "wine", "develop"]);
});

test("a commitment opens with its nonce alone", () => {
  expect(nonceMatches(nA, nonceCommitment(nA))).toBe(true);
  fc.assert(fc.property(fc.nat(127), (bit) => !nonceMatches(flipped(nA, bit), nonceCommitment(nA))));
});
