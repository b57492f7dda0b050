// One side of a typed call over any W3C peer connection: runs in a Chromium page and, with @roamhq/wrtc, in Node.
// It knows nothing of set-ups: SDP goes in and out as text, and the test turns it into typed set-ups and back.

/**
 * @param {typeof RTCPeerConnection} PeerConnection
 * @param {() => Promise<MediaStreamTrack>} makeAudio
 * @param {() => Promise<MediaStreamTrack>} makeVideo
 */
export function makePeer(PeerConnection, makeAudio, makeVideo) {
  const connection = new PeerConnection({ bundlePolicy: "max-bundle", rtcpMuxPolicy: "require" });
  const candidates = [];
  const received = [];
  const tracks = [];
  let gathered = false;
  connection.onicecandidate = ({ candidate }) => {
    if (candidate?.candidate) candidates.push(candidate.candidate);
    else gathered = true;
  };
  connection.ontrack = ({ track }) => tracks.push(track);
  const channel = connection.createDataChannel("earshot", { negotiated: true, id: 0, ordered: true });
  channel.onmessage = ({ data }) => received.push(data);

  async function until(what, holds, timeoutMs = 15000) {
    const end = Date.now() + timeoutMs;
    while (!(await holds())) {
      if (Date.now() > end) throw new Error(`timed out: ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
  async function stats(type, kind) {
    const found = [];
    for (const entry of (await connection.getStats()).values()) {
      if (entry.type === type && (kind === undefined || (entry.kind ?? entry.mediaType) === kind)) found.push(entry);
    }
    return found;
  }
  const sum = (entries, field) => entries.reduce((total, entry) => total + (entry[field] ?? 0), 0);

  return {
    async offer(iceRestart) {
      if (!iceRestart) {
        connection.addTransceiver("audio", { direction: "sendrecv" });
        connection.addTransceiver("video", { direction: "sendrecv" });
      }
      candidates.length = 0;
      gathered = false;
      await connection.setLocalDescription(await connection.createOffer({ iceRestart }));
      return connection.localDescription.sdp;
    },
    async answer(sdp) {
      await connection.setRemoteDescription({ type: "offer", sdp });
      for (const transceiver of connection.getTransceivers()) transceiver.direction = "sendrecv";
      candidates.length = 0;
      gathered = false;
      await connection.setLocalDescription(await connection.createAnswer());
      return connection.localDescription.sdp;
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
      const track = await (kind === "audio" ? makeAudio() : makeVideo());
      await connection.getTransceivers()[kind === "audio" ? 0 : 1].sender.replaceTrack(track);
    },
    async detach(kind) {
      await connection.getTransceivers()[kind === "audio" ? 0 : 1].sender.replaceTrack(null);
    },
    async sentPackets() {
      return sum(await stats("outbound-rtp"), "packetsSent");
    },
    /** Until `amount` more packets (audio) or decoded frames (video) came. */
    async hears(kind, amount) {
      const field = kind === "audio" ? "packetsReceived" : "framesDecoded";
      const before = sum(await stats("inbound-rtp", kind), field);
      await until(
        `${kind} from the other side`,
        async () => sum(await stats("inbound-rtp", kind), field) >= before + amount,
      );
      return { tracks: tracks.map((track) => track.kind).sort() };
    },
    async transport() {
      const [transport] = await stats("transport");
      return {
        dtlsRole: transport?.dtlsRole,
        dtlsState: transport?.dtlsState,
        transports: (await stats("transport")).length,
      };
    },
    async close() {
      connection.close();
    },
  };
}
