import { expect, test } from "vitest";
import { FRAME_RATE_HZ, loopedFramesOf } from "./audio/frames.ts";
import { RateUnifier } from "./audio/rate-unifier.ts";
import { loadWebRtc } from "./webrtc.ts";

const TONE_HZ = 1000;
const tone = Int16Array.from(
  { length: 48_000 },
  (_, i) => 9000 * Math.sin((2 * Math.PI * TONE_HZ * i) / FRAME_RATE_HZ),
);

/** How much of the sound's power is in the tone, 0..1. */
function shareOfTone(samples: readonly number[]): number {
  let [re, im, power] = [0, 0, 0];
  samples.forEach((sample, i) => {
    re += sample * Math.cos((2 * Math.PI * TONE_HZ * i) / FRAME_RATE_HZ);
    im += sample * Math.sin((2 * Math.PI * TONE_HZ * i) / FRAME_RATE_HZ);
    power += sample * sample;
  });
  return power === 0 ? 0 : (2 * (re * re + im * im)) / samples.length / power;
}

test("what a voice plays is heard at the other end of a real connection", async () => {
  const webRtc = await loadWebRtc();
  const [here, there] = [webRtc.peerConnection({}), webRtc.peerConnection({})];
  const voice = webRtc.createVoice();
  try {
    here.onicecandidate = ({ candidate }) => void (candidate && there.addIceCandidate(candidate));
    there.onicecandidate = ({ candidate }) => void (candidate && here.addIceCandidate(candidate));
    here.addTrack(voice.track);
    void voice.feed.play(loopedFramesOf({ sampleRate: FRAME_RATE_HZ, samples: tone }));
    const unifier = new RateUnifier(FRAME_RATE_HZ);
    const heard: number[] = [];
    const enough = new Promise<void>((resolve) => {
      there.ontrack = ({ track }) => {
        const stop = webRtc.listen(track, (frame) => {
          heard.push(...unifier.push(frame));
          if (shareOfTone(heard.slice(-9_600)) < 0.95) return;
          stop();
          resolve();
        });
      };
    });
    await here.setLocalDescription(await here.createOffer());
    await there.setRemoteDescription(here.localDescription as RTCSessionDescription);
    await there.setLocalDescription(await there.createAnswer());
    await here.setRemoteDescription(there.localDescription as RTCSessionDescription);
    await enough;
    expect(shareOfTone(heard.slice(-9_600))).toBeGreaterThan(0.95);
  } finally {
    voice.stop();
    here.close();
    there.close();
  }
});
