/** The bytes of other people's that this node keeps, against what its owner allows. */
export class StoreBudget {
  readonly #mostBytes: number;
  #maxBytes: number;
  #bytes = 0;
  constructor(maxBytes: number) {
    this.#mostBytes = this.#maxBytes = maxBytes;
  }
  get maxBytes(): number {
    return this.#maxBytes;
  }
  /** At most what it was made with. What is kept already stays until its time is over. */
  set maxBytes(bytes: number) {
    this.#maxBytes = Math.min(this.#mostBytes, bytes);
  }
  get bytes(): number {
    return this.#bytes;
  }
  fits(bytes: number): boolean {
    return this.#bytes + bytes <= this.#maxBytes;
  }
  add(bytes: number): void {
    this.#bytes += bytes;
  }
  remove(bytes: number): void {
    this.#bytes -= bytes;
  }
}
