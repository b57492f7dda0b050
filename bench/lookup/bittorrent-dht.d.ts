/** What the benchmark uses of bittorrent-dht, which ships no types (BEP 5 and 44). */
declare module "bittorrent-dht" {
  interface MutableItem {
    readonly k: Buffer;
    readonly v: Buffer;
    readonly seq: number;
    sign(encoded: Buffer): Buffer;
  }
  export default class DHT {
    constructor(options: {
      bootstrap: readonly string[] | false;
      host?: string;
      verify(signature: Buffer, value: Buffer, publicKey: Buffer): boolean;
    });
    readonly nodes: { toArray(): unknown[] };
    listen(port: number, address: string, onListening: () => void): void;
    address(): { port: number };
    once(event: "ready", listener: () => void): void;
    put(item: MutableItem, done: (error: Error | null, hash: Buffer) => void): void;
    get(hash: Buffer, options: { cache: boolean }, done: (error: Error | null, item?: { v: Buffer }) => void): void;
    destroy(done: () => void): void;
  }
}
