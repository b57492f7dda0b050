import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { MemoryStream } from "./memory-stream.ts";

/** How a suite gets at a transport and at the servers it talks to. */
export interface TransportMaker {
  /** Connects to a server that sends every message straight back. */
  connect(): Promise<MemoryStream>;
  /** Connects to where nothing listens. */
  connectNowhere(): Promise<MemoryStream>;
  /** Connects with a token that the server refuses. */
  connectRefused(): Promise<MemoryStream>;
  /** The server cuts every connection. */
  cutAll(): void;
  cleanUp(): Promise<void>;
}

function next(stream: MemoryStream, count: number): Promise<Uint8Array[]> {
  return new Promise((resolve, reject) => {
    const got: Uint8Array[] = [];
    stream.onMessage = (message) => {
      got.push(message);
      if (got.length === count) resolve(got);
    };
    stream.onClose = (reason) => reject(new Error(`closed: ${reason}`));
  });
}

/** What every transport adapter must do. */
export function transportCompliance(name: string, make: () => Promise<TransportMaker>): void {
  describe(`transport compliance: ${name}`, () => {
    let maker: TransportMaker;
    beforeEach(async () => {
      maker = await make();
    });
    afterEach(async () => maker.cleanUp());

    it("carries binary messages in order, whole", async () => {
      const stream = await maker.connect();
      const sent = [Uint8Array.of(), Uint8Array.of(0, 255), new Uint8Array(10_240).fill(3), Uint8Array.of(9)];
      const got = next(stream, sent.length);
      for (const message of sent) stream.send(message);
      expect(await got).toEqual(sent);
      stream.close();
    });

    it("tells once that it was closed, whoever closed", async () => {
      for (const close of [(stream: MemoryStream) => stream.close(), () => maker.cutAll()]) {
        const stream = await maker.connect();
        let closed = 0;
        const ended = new Promise<void>((resolve) => {
          stream.onClose = () => {
            closed += 1;
            resolve();
          };
        });
        close(stream);
        await ended;
        stream.close();
        stream.send(Uint8Array.of(1)); // after the end: dropped, not thrown
        expect(closed).toBe(1);
      }
    });

    it("says node-unreachable where nothing listens", async () => {
      await expect(maker.connectNowhere()).rejects.toMatchObject({ code: "node-unreachable" });
    });

    it("says node-refused where the token is refused", async () => {
      await expect(maker.connectRefused()).rejects.toMatchObject({ code: "node-refused" });
    });
  });
}
