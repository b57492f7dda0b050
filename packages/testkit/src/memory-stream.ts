/** One end of an in-memory ordered stream of messages; the shape of the SDK's `Connection`. */
export interface MemoryStream {
  send(message: Uint8Array): void;
  close(): void;
  onMessage: (message: Uint8Array) => void;
  onClose: (reason: string) => void;
}

class StreamEnd implements MemoryStream {
  onMessage: (message: Uint8Array) => void = () => {};
  onClose: (reason: string) => void = () => {};
  peer: StreamEnd | undefined;
  #open = true;

  send(message: Uint8Array): void {
    const copy = Uint8Array.from(message);
    const { peer } = this;
    // A copy on a later microtask: neither side may rely on sharing memory or on being called back at once.
    if (this.#open && peer) queueMicrotask(() => peer.#receive(copy));
  }

  close(): void {
    this.#end("closed here");
    const { peer } = this;
    if (peer) queueMicrotask(() => peer.#end("closed by the other side"));
  }

  #receive(message: Uint8Array): void {
    if (this.#open) this.onMessage(message);
  }

  #end(reason: string): void {
    if (!this.#open) return;
    this.#open = false;
    this.onClose(reason);
  }
}

/** Two connected ends. Messages arrive in order, asynchronously. */
export function memoryStreamPair(): readonly [MemoryStream, MemoryStream] {
  const a = new StreamEnd();
  const b = new StreamEnd();
  a.peer = b;
  b.peer = a;
  return [a, b];
}

/** A transport whose every `connect` gives the other end to `accept`, until `down` is set. */
export class MemoryTransport {
  /** True: connecting fails as it does to a dead node. */
  down = false;
  readonly #accept: (stream: MemoryStream) => void;
  readonly #unreachable: () => Error;
  readonly #open = new Set<MemoryStream>();

  constructor(accept: (stream: MemoryStream) => void, unreachable: () => Error) {
    this.#accept = accept;
    this.#unreachable = unreachable;
  }

  async connect(): Promise<MemoryStream> {
    if (this.down) throw this.#unreachable();
    const [near, far] = memoryStreamPair();
    this.#open.add(far);
    this.#accept(far);
    return near;
  }

  /** Cuts every stream, as a killed daemon does. */
  cut(): void {
    for (const stream of this.#open) stream.close();
    this.#open.clear();
  }
}
