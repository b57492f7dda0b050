import type { MediaPort, MediaProblem, MediaResult } from "../view-models/ports.ts";

const VIDEO: MediaTrackConstraints = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: 30 } };
const AUDIO: MediaTrackConstraints = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };

/** The browser's microphone and camera. */
export const browserMedia: MediaPort = {
  openMicrophone: () => open({ audio: AUDIO }),
  openCamera: () => open({ video: VIDEO }),
};

async function open(constraints: MediaStreamConstraints): Promise<MediaResult> {
  // Missing altogether where the page is not a secure context (plain http on anything but localhost).
  if (!navigator.mediaDevices) return { ok: false, problem: "insecure" };
  try {
    const [track] = (await navigator.mediaDevices.getUserMedia(constraints)).getTracks();
    return track ? { ok: true, track } : { ok: false, problem: "failed" };
  } catch (error) {
    return { ok: false, problem: problemOf(error) };
  }
}

/** Media Capture and Streams, section 10.2: the names under which getUserMedia rejects. */
function problemOf(error: unknown): MediaProblem {
  switch (error instanceof DOMException ? error.name : "") {
    case "NotAllowedError":
      return "denied";
    case "NotFoundError":
    case "OverconstrainedError":
      return "none-found";
    case "NotReadableError":
    case "AbortError":
      return "in-use";
    case "SecurityError":
      return "insecure";
    default:
      return "failed";
  }
}
