/** Mutation of byte strings under a seeded generator, so that a finding is a seed that anyone can replay. */

/** Uniform integers in 0..bound-1. */
export type Dice = (bound: number) => number;

/** sfc32 (small fast counter, 32 bit): the same sequence for the same seed, everywhere. */
export function createDice(seed: number): Dice {
  let a = seed >>> 0;
  let b = 0x9e3779b9;
  let c = 0x243f6a88;
  let counter = 1;
  const next = () => {
    const t = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + t;
    return t >>> 0;
  };
  for (let warmUp = 0; warmUp < 16; warmUp++) next();
  return (bound) => (bound <= 1 ? 0 : next() % bound);
}

/** Values at which length and number checks break: 8-, 16- and 32-bit edges. */
const EDGES = [
  0, 1, 0x17, 0x18, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x1_0000, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff,
];

type Mutation = (input: Uint8Array, dice: Dice, other: Uint8Array, maxBytes: number) => Uint8Array;

const flipBit: Mutation = (input, dice) => {
  const out = input.slice();
  if (out.length > 0) out[dice(out.length)]! ^= 1 << dice(8);
  return out;
};

const setByte: Mutation = (input, dice) => {
  const out = input.slice();
  if (out.length > 0) out[dice(out.length)] = dice(256);
  return out;
};

const setEdge: Mutation = (input, dice) => {
  const out = input.slice();
  const width = [1, 2, 4][dice(3)] ?? 1;
  if (out.length < width) return out;
  const value = EDGES[dice(EDGES.length)] ?? 0;
  const at = dice(out.length - width + 1);
  for (let i = 0; i < width; i++) out[at + i] = (value >>> (8 * (width - 1 - i))) & 0xff;
  return out;
};

const nudge: Mutation = (input, dice) => {
  const out = input.slice();
  if (out.length > 0) out[dice(out.length)]! += dice(2) === 0 ? 1 : 255;
  return out;
};

const truncate: Mutation = (input, dice) => input.slice(0, dice(input.length + 1));

const insert: Mutation = (input, dice) => {
  const at = dice(input.length + 1);
  const added = Uint8Array.from({ length: 1 + dice(8) }, () => dice(256));
  return Uint8Array.of(...input.subarray(0, at), ...added, ...input.subarray(at));
};

const remove: Mutation = (input, dice) => {
  const from = dice(input.length + 1);
  return Uint8Array.of(...input.subarray(0, from), ...input.subarray(from + 1 + dice(8)));
};

const repeat: Mutation = (input, dice) => {
  const from = dice(input.length + 1);
  const part = input.subarray(from, from + 1 + dice(64));
  return Uint8Array.of(...input.subarray(0, from), ...part, ...part, ...input.subarray(from + part.length));
};

const splice: Mutation = (input, dice, other) =>
  Uint8Array.of(...input.subarray(0, dice(input.length + 1)), ...other.subarray(dice(other.length + 1)));

const random: Mutation = (_input, dice, _other, maxBytes) =>
  Uint8Array.from({ length: dice(Math.min(maxBytes, 64 << dice(8)) + 1) }, () => dice(256));

/** Small changes are likelier than whole new inputs: they get past a decoder's first checks. */
const MUTATIONS = [
  ...[flipBit, flipBit, flipBit, setByte, setByte, setEdge, setEdge, nudge, nudge],
  ...[truncate, insert, insert, remove, remove, repeat, splice, random],
];

/** A changed copy of `input` of at most `maxBytes`, now and then crossed with `other`. */
export function mutate(input: Uint8Array, other: Uint8Array, dice: Dice, maxBytes: number): Uint8Array {
  let out = input;
  const rounds = 1 + dice(2) * dice(8);
  for (let round = 0; round < rounds; round++) {
    out = (MUTATIONS[dice(MUTATIONS.length)] ?? flipBit)(out, dice, other, maxBytes);
  }
  return out.length > maxBytes ? out.slice(0, maxBytes) : out;
}
