/** How a voice is sent: as the browser that sends it says, and as its router sees it pass. */
import type { Page } from "playwright-core";
import type { NatLab, Site } from "./lab.ts";

/** Opus, and Opus in RED (RFC 2198), as the app numbers them. */
const PAYLOAD_TYPES = { plain: 111, redundant: 63 } as const;

interface VoicePackets {
  readonly plain: number;
  readonly redundant: number;
}

/**
 * From now on the site's router counts its host's voice packets by their payload type, which SRTP leaves readable (RFC 3711
 * section 3.1): those that go straight over UDP, not those in a TURN message.
 */
export async function watchVoice(lab: NatLab, site: Site): Promise<void> {
  const rules = Object.entries(PAYLOAD_TYPES).map(
    // RTP's version, then its payload type, behind UDP's eight bytes.
    ([name, type]) => `iifname "lan" meta l4proto udp @th,64,2 2 @th,73,7 ${type} counter name ${name}`,
  );
  await lab.onRouter(
    site,
    `nft -f - <<'RULES'
table ip watch {
  counter plain { }
  counter redundant { }
  chain passing { type filter hook forward priority -10; policy accept;
    ${rules.join("\n    ")}
  }
}
RULES`,
  );
}

/** What {@link watchVoice} has counted. */
export async function voicePackets(lab: NatLab, site: Site): Promise<VoicePackets> {
  const text = await lab.onRouter(site, "nft list counters table ip watch");
  const counted = new Map(
    Array.from(text.matchAll(/counter (\w+) \{\s*packets (\d+)/g), ([, name, n]) => [name, Number(n)]),
  );
  return { plain: counted.get("plain") ?? 0, redundant: counted.get("redundant") ?? 0 };
}

/** From now on the site's router loses so many of a hundred datagrams, both ways. */
export async function loseAt(lab: NatLab, site: Site, percent: number): Promise<void> {
  await lab.onRouter(site, `nft insert rule ip site passing meta l4proto udp numgen random mod 100 lt ${percent} drop`);
}

/** What the page's one connected peer connection sends its voice as: `audio/opus`, `audio/red`. (Its outbound-rtp statistics name Opus either way.) */
export function sentCodec(page: Page): Promise<string> {
  return page.evaluate(() => {
    const { earshotConnections = [] } = window as Window & { earshotConnections?: RTCPeerConnection[] };
    const peer = earshotConnections.find(({ connectionState }) => connectionState === "connected");
    const sender = peer?.getSenders().find(({ track }) => track?.kind === "audio");
    return sender?.getParameters().codecs[0]?.mimeType ?? "";
  });
}
