/** How the media of a page's calls travels, read from WebRTC itself and not from what the app says about it. */
import type { BrowserContext, Page } from "playwright-core";

export interface PathEnd {
  readonly address: string;
  readonly port: number;
  /** host, srflx, prflx or relay. */
  readonly type: string;
  /** How the relay is reached, of a relay's candidate of this side: udp, tcp or tls. */
  readonly relayProtocol?: string;
}

export interface SelectedPath {
  readonly local: PathEnd;
  readonly remote: PathEnd;
  /** Ports of all candidates that this side gathered: the two sides need not have settled on the same pair. */
  readonly localPorts: readonly number[];
  readonly bytesSent: number;
  readonly bytesReceived: number;
}

/** What is read of the entries of `getStats()`: W3C webrtc-stats, sections on transports, pairs and candidates. */
interface Entry {
  readonly type: string;
  readonly selectedCandidatePairId: string;
  readonly localCandidateId: string;
  readonly remoteCandidateId: string;
  readonly address: string;
  readonly port: number;
  readonly candidateType: string;
  readonly relayProtocol?: string;
  readonly bytesSent: number;
  readonly bytesReceived: number;
}

type WatchedWindow = Window & { earshotConnections?: RTCPeerConnection[] };

/** Before the app is opened: keeps a reference to every peer connection that its pages make. */
export async function watchPeerConnections(context: BrowserContext): Promise<void> {
  await context.addInitScript(() => {
    const made: RTCPeerConnection[] = [];
    (window as WatchedWindow).earshotConnections = made;
    window.RTCPeerConnection = new Proxy(window.RTCPeerConnection, {
      construct(target, given: [RTCConfiguration]) {
        const connection = new target(...given);
        made.push(connection);
        return connection;
      },
    });
  });
}

/** The candidate pair that the page's one connected peer connection has selected. Rejects where there is none. */
export async function selectedPath(page: Page): Promise<SelectedPath> {
  return page.evaluate(async () => {
    const connections = (window as WatchedWindow).earshotConnections ?? [];
    const connected = connections.filter(({ connectionState }) => connectionState === "connected");
    if (connected.length !== 1)
      throw new Error(`${connected.length} of ${connections.length} connections are connected`);
    const stats = new Map<string, Entry>();
    (await connected[0]!.getStats()).forEach((entry: Entry, id: string) => stats.set(id, entry));
    const transport = [...stats.values()].find(({ type }) => type === "transport");
    const pair = stats.get(transport?.selectedCandidatePairId ?? "");
    const local = stats.get(pair?.localCandidateId ?? "");
    const remote = stats.get(pair?.remoteCandidateId ?? "");
    if (!transport || !local || !remote) throw new Error("no candidate pair is selected");
    return {
      local: { ...local, type: local.candidateType },
      remote: { ...remote, type: remote.candidateType },
      localPorts: [...stats.values()].filter(({ type }) => type === "local-candidate").map(({ port }) => port),
      bytesSent: transport.bytesSent,
      bytesReceived: transport.bytesReceived,
    };
  });
}
