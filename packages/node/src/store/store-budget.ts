/** The bytes of other people's that this node keeps, against what its owner allows. */
export class StoreBudget {
  readonly #maxBytes: number;
  #bytes = 0;
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
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
