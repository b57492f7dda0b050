// One side of a typed call over any W3C peer connection: runs in a Chromium page and, with @roamhq/wrtc, in Node.
// It knows nothing of set-ups: SDP goes in and out as text, and the test turns it into typed set-ups and back.

async function until(what, holds, timeoutMs = 15000) {
  const end = Date.now() + timeoutMs;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`timed out: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function statsOf(connection, type, kind) {
  const entries = [...(await connection.getStats()).values()];
  return entries.filter(
    (entry) => entry.type === type && (kind === undefined || (entry.kind ?? entry.mediaType) === kind),
  );
}

const sum = (entries, field) => entries.reduce((total, entry) => total + (entry[field] ?? 0), 0);

/** Descriptions and candidates of one side. */
function signalling(connection) {
  const candidates = [];
  let gathered = false;
  connection.onicecandidate = ({ candidate }) => {
    if (candidate?.candidate) candidates.push(candidate.candidate);
    else gathered = true;
  };
  async function describe(description) {
    candidates.length = 0;
    gathered = false;
    await connection.setLocalDescription(description);
    return connection.localDescription.sdp;
  }
  return {
    async offer(iceRestart) {
      if (!iceRestart)
        for (const kind of ["audio", "video"]) connection.addTransceiver(kind, { direction: "sendrecv" });
      return describe(await connection.createOffer({ iceRestart }));
    },
    async answer(sdp) {
      await connection.setRemoteDescription({ type: "offer", sdp });
      for (const transceiver of connection.getTransceivers()) transceiver.direction = "sendrecv";
      return describe(await connection.createAnswer());
    },
    async accept(sdp) {
      await connection.setRemoteDescription({ type: "answer", sdp });
    },
    async gathered() {
      await until("gathering", () => gathered);
      return [...candidates];
    },
    async add(list) {
      for (const candidate of list) await connection.addIceCandidate({ candidate, sdpMid: "0", sdpMLineIndex: 0 });
    },
  };
}

/** What goes over it once it is up. */
function traffic(connection, makeTrack) {
  const received = [];
  const tracks = [];
  const channel = connection.createDataChannel("earshot", { negotiated: true, id: 0, ordered: true });
  channel.onmessage = ({ data }) => received.push(data);
  connection.ontrack = ({ track }) => tracks.push(track);
  return {
    async connected() {
      await until("connected", () => connection.connectionState === "connected" && channel.readyState === "open");
    },
    async message(text) {
      channel.send(text);
    },
    async messages(count) {
      await until("messages", () => received.length >= count);
      return [...received];
    },
    async attach(kind) {
      await connection.getTransceivers()[kind === "audio" ? 0 : 1].sender.replaceTrack(await makeTrack(kind));
    },
    async sentPackets() {
      return sum(await statsOf(connection, "outbound-rtp"), "packetsSent");
    },
    /** Until `amount` more packets (audio) or decoded frames (video) came. */
    async hears(kind, amount) {
      const field = kind === "audio" ? "packetsReceived" : "framesDecoded";
      const count = async () => sum(await statsOf(connection, "inbound-rtp", kind), field);
      const before = await count();
      await until(`${kind} from the other side`, async () => (await count()) >= before + amount);
      return { tracks: tracks.map((track) => track.kind).sort() };
    },
    async transport() {
      const transports = await statsOf(connection, "transport");
      const { dtlsRole, dtlsState } = transports[0] ?? {};
      return { dtlsRole, dtlsState, transports: transports.length };
    },
  };
}

/**
 * @param {typeof RTCPeerConnection} PeerConnection
 * @param {(kind: "audio" | "video") => Promise<MediaStreamTrack>} makeTrack
 */
export function makePeer(PeerConnection, makeTrack) {
  const connection = new PeerConnection({ bundlePolicy: "max-bundle", rtcpMuxPolicy: "require" });
  return {
    ...signalling(connection),
    ...traffic(connection, makeTrack),
    async close() {
      connection.close();
    },
  };
}
