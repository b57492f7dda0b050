import { PICTURE_LIMITS, type PictureStep } from "@earshot/core";

/** Holds a connection's picture to a step, and puts the voice before it. A platform that does not take limits sends without. */
export async function limitSending(peer: RTCPeerConnection, picture: PictureStep): Promise<void> {
  const [voice, video] = peer.getTransceivers();
  await Promise.all([
    voice && setEncoding(voice.sender, { priority: "high" }),
    video && setEncoding(video.sender, encodingOf(picture)),
  ]);
}

/** While it is paused there is no track on the sender: then the smallest holds, for the moment it comes back. */
function encodingOf(picture: PictureStep): RTCRtpEncodingParameters {
  const { maxKbps, scaleDownBy, maxFrameRate } = PICTURE_LIMITS[picture === "paused" ? "quarter" : picture];
  return {
    maxBitrate: maxKbps * 1_000,
    scaleResolutionDownBy: scaleDownBy,
    maxFramerate: maxFrameRate,
    priority: "low",
  };
}

async function setEncoding(sender: RTCRtpSender, change: RTCRtpEncodingParameters): Promise<void> {
  try {
    const parameters = sender.getParameters();
    const [encoding] = parameters.encodings;
    if (!encoding) return;
    Object.assign(encoding, change);
    await sender.setParameters(parameters);
  } catch {} // `@roamhq/wrtc` 0.10 takes none of these
}
