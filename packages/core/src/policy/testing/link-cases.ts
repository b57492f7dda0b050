import type { LinkSample } from "../link-sample.ts";

const FINE: Omit<LinkSample, "atMs"> = {
  expectsVoice: true,
  arrived: 50,
  missing: 0,
  concealed: 0,
  missingThere: 0,
  roundTripMs: 40,
  jitterMs: 5,
  sendableKbps: 2_500,
  wantsPicture: true,
};

/** A call's samples, one a second from 0 on: so many seconds of a good link, each with that change. */
export function seconds(...stretches: readonly (readonly [count: number, change: Partial<LinkSample>])[]) {
  const samples: LinkSample[] = [];
  for (const [count, change] of stretches)
    for (let i = 0; i < count; i++) samples.push({ ...FINE, ...change, atMs: samples.length * 1_000 });
  return samples;
}
