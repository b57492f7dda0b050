/** The part of hyperdht 6 (and of dht-rpc under it) that hyperdht.ts uses. It ships no types of its own. */
declare module "hyperdht" {
  import type { EventEmitter } from "node:events";
  import type { Duplex } from "node:stream";

  namespace HyperDHT {
    interface Address {
      host: string;
      port: number;
    }
    interface KeyPair {
      publicKey: Buffer;
      secretKey: Buffer;
    }
    interface TableNode extends Address {
      id: Buffer;
      prev: TableNode | null;
      next: TableNode | null;
      /** When it was last heard of, as `_tick` was then. */
      seen: number;
    }
    interface Request {
      from: Address & { id: Buffer | null };
      to: Address;
      token: Buffer | null;
      target: Buffer | null;
      internal: boolean;
      command: number;
      value: Buffer | null;
      reply(value: Buffer | null, options?: object): void;
      error(code: number, options?: object): void;
    }
    interface Reply {
      from: Address & { id: Buffer | null };
      to: Address;
      token: Buffer | null;
      error: number;
      value: Buffer | null;
    }
    interface Found {
      peers: { publicKey: Buffer; relayAddresses: Address[] }[];
    }
    interface Query<T = Reply> extends AsyncIterable<T> {
      closestReplies: Reply[];
      destroyed: boolean;
      finished(): Promise<void>;
      destroy(error?: Error): void;
      on(event: string, listener: (...args: never[]) => void): this;
      /** By `host:port`: who named it, until it has answered or failed. */
      _seen: Map<string, unknown>;
      _addPending(node: Address, ref: unknown): boolean;
      /** Asks it now. */
      _visit(node: Address & { id: Buffer }): void;
      /** Not asked yet, who comes next last. */
      readonly _pending: { id: Buffer | null }[];
      /** True: no others are asked than those pending. */
      _onlyClosestNodes: boolean;
      concurrency: number;
      /** Asks as many as may be asked now. */
      _readMore(): void;
    }
    interface QueryOptions<T> {
      map?: (reply: Reply) => T | null;
      retries?: number;
      concurrency?: number;
      commit?: unknown;
    }
    interface RawStream {
      readonly remoteHost: string | null;
      readonly remotePort: number;
      flush(): Promise<boolean>;
    }
    interface SecretStream extends Duplex {
      readonly remotePublicKey: Buffer;
      readonly handshakeHash: Buffer | null;
      readonly rawStream: RawStream | null;
      readonly opened: Promise<boolean>;
      setTimeout(ms: number): void;
      setKeepAlive(ms: number): void;
      flush(): Promise<boolean>;
      _onrawdata(data: Buffer): void;
    }
    interface ConnectOptions {
      keyPair?: KeyPair;
      relayAddresses?: Address[];
      localConnection?: boolean;
      holepunch?: (remoteFirewall: number, localFirewall: number, remote: Address[], local: Address[]) => boolean;
    }
    interface ServerOptions {
      shareLocalAddress?: boolean;
      firewall?: (remoteKey: Buffer, payload: unknown, client: Address) => boolean | Promise<boolean>;
      holepunch?: ConnectOptions["holepunch"];
    }
    interface Server extends EventEmitter {
      listen(keyPair: KeyPair): Promise<this>;
      close(): Promise<void>;
    }
    interface Options {
      host?: string;
      port?: number | readonly [number, number];
      anyPort?: boolean;
      bootstrap?: Address[];
      ephemeral?: boolean;
      firewalled?: boolean;
      maxWindow?: number;
      maxSize?: number;
      maxPingDelay?: number;
      connectionKeepAlive?: number;
    }
  }

  class HyperDHT extends EventEmitter {
    static readonly BOOTSTRAP: readonly string[];
    static keyPair(seed?: Uint8Array): HyperDHT.KeyPair;
    static hash(data: Uint8Array): Buffer;
    constructor(options?: HyperDHT.Options);
    readonly id: Buffer | null;
    readonly host: string | null;
    readonly port: number;
    readonly bootstrapped: boolean;
    readonly destroyed: boolean;
    ephemeral: boolean;
    firewalled: boolean;
    readonly io: { ephemeral: boolean; serverSocket: { address(): HyperDHT.Address } | null };
    readonly nodes: { readonly length: number; readonly latest: HyperDHT.TableNode | null; has(node: object): boolean };
    bind(): Promise<void>;
    fullyBootstrapped(): Promise<void>;
    refresh(): void;
    addNode(node: HyperDHT.Address): void;
    remoteAddress(): HyperDHT.Address | null;
    query<T = HyperDHT.Reply>(
      request: { target: Uint8Array; command: number; value: Uint8Array | null },
      options?: HyperDHT.QueryOptions<T>,
    ): HyperDHT.Query<T>;
    findNode(target: Uint8Array, options?: object): HyperDHT.Query;
    request(
      request: { token?: Uint8Array | null; target: Uint8Array; command: number; value: Uint8Array | null },
      to: HyperDHT.Address,
      options?: { retry?: boolean },
    ): Promise<HyperDHT.Reply>;
    lookup(target: Uint8Array): HyperDHT.Query<HyperDHT.Found>;
    announce(target: Uint8Array, keyPair: HyperDHT.KeyPair, relayAddresses: HyperDHT.Address[]): HyperDHT.Query;
    lookupAndUnannounce(target: Uint8Array, keyPair: HyperDHT.KeyPair): HyperDHT.Query;
    connect(publicKey: Uint8Array, options?: HyperDHT.ConnectOptions): HyperDHT.SecretStream;
    createServer(options?: HyperDHT.ServerOptions): HyperDHT.Server;
    destroy(options?: { force?: boolean }): Promise<void>;
    onrequest(request: HyperDHT.Request): boolean;

    readonly table: { closest(target: Buffer, most?: number): HyperDHT.TableNode[] };

    /** Inner parts of dht-rpc 6 and hyperdht 6, which the guards stand on; guarded-dht.test.ts notices when they move. */
    _filterNode: ((node: HyperDHT.Address) => boolean) | null;
    _nat: { add(host: string, port: number): void };
    _persistent: {
      mutables: { get(name: string): Buffer | null; set(name: string, value: Buffer): void; readonly size: number };
      records: {
        add(name: string, key: Buffer, value: Buffer): void;
        remove(name: string, key: Buffer): void;
        get(name: string, count: number): Buffer[];
      };
    } | null;
    /** Rises every 5 s. */
    readonly _tick: number;
    _addNode(node: HyperDHT.TableNode): void;
    _check(node: HyperDHT.TableNode): void;
    _onrequest(request: HyperDHT.Request, external: boolean): void;
    _backgroundQuery(target: Buffer): HyperDHT.Query;
    _updateNetworkState(onlyFirewall?: boolean): Promise<boolean>;
  }
  export = HyperDHT;
}

declare module "hyperdht/lib/messages.js" {
  interface Codec<T> {
    preencode(state: State, message: T): void;
    encode(state: State, message: T): void;
    decode(state: State): T;
  }
  interface State {
    start: number;
    end: number;
    buffer: Buffer | null;
  }
  interface Address {
    host: string;
    port: number;
  }
  interface Peer {
    publicKey: Buffer;
    relayAddresses: Address[];
  }
  const messages: {
    mutablePutRequest: Codec<{ publicKey: Buffer; seq: number; value: Buffer; signature: Buffer }>;
    mutableGetResponse: Codec<{ seq: number; value: Buffer; signature: Buffer }>;
    announce: Codec<{ peer: Peer | null; refresh: Buffer | null }>;
    lookupRawReply: Codec<{ peers: Peer[]; bump: number }>;
    peer: Codec<Peer>;
    handshake: Codec<{ mode: number; peerAddress: Address | null; relayAddress: Address | null }>;
    holepunch: Codec<{ mode: number; peerAddress: Address | null }>;
  };
  export = messages;
}
