import type { Clock } from "@earshot/core";
import type { Publisher } from "../directory/publisher.ts";
import type { EnvelopeRouter } from "../envelopes/router.ts";
import type { Sender } from "../envelopes/sender.ts";
import { NodeError } from "../errors.ts";

/** Until the next try to load; doubled each time. In a page it is a file of its own, and its server may be restarting. */
const FIRST_RETRY_MS = 500;
/** An envelope waits for so many tries, 7.5 s in all. Then it is not acknowledged: its home keeps it, and brings it again. */
const MAX_TRIES = 5;

/** What is loaded: one of each for the client's whole life. */
export interface LoadedParts {
  readonly router: Pick<EnvelopeRouter, "handle">;
  readonly sender: Pick<Sender, "look" | "prepare" | "toContact" | "toStranger" | "homesOf">;
  readonly publisher: Pick<Publisher, "publish" | "leaveKey" | "outdated">;
}

/** Envelopes and records, by what is loaded once connecting begins: in a page, the first screen does not wait for it. */
export class LazyParts implements LoadedParts {
  readonly #load: () => Promise<LoadedParts>;
  readonly #clock: Clock;
  readonly publisher: LoadedParts["publisher"];
  #parts: LoadedParts | undefined;
  #loading: Promise<LoadedParts> | undefined;

  /** `outdated`: what is known of that before anything is published. */
  constructor(load: () => Promise<LoadedParts>, clock: Clock, outdated: LoadedParts["publisher"]["outdated"]) {
    this.#load = load;
    this.#clock = clock;
    this.publisher = {
      publish: async () => (await this.loaded()).publisher.publish(),
      leaveKey: async (seed) => (await this.loaded()).publisher.leaveKey(seed),
      outdated: () => (this.#parts ? this.#parts.publisher.outdated() : outdated()),
    };
  }

  /** In the order in which they are given to it. Rejects as the router does, and where it cannot be loaded. */
  readonly router: LoadedParts["router"] = {
    handle: async (...envelope) => (await this.#loadedInTime()).router.handle(...envelope),
  };

  /** Each but the last rejects with {@link NodeError} `offline` where it cannot be loaded, as without a connection. */
  readonly sender: LoadedParts["sender"] = {
    look: async (...what) => (await this.loaded()).sender.look(...what),
    prepare: async (...what) => (await this.loaded()).sender.prepare(...what),
    toContact: async (...what) => (await this.loaded()).sender.toContact(...what),
    toStranger: async (...what) => (await this.loaded()).sender.toStranger(...what),
    homesOf: (address) => this.#parts?.sender.homesOf(address) ?? [],
  };

  /** One try, or what an earlier one gave. Rejects with {@link NodeError} `offline`. */
  loaded(): Promise<LoadedParts> {
    this.#loading ??= this.#load().then(
      (parts) => {
        this.#parts = parts;
        return parts;
      },
      (cause: unknown) => {
        this.#loading = undefined;
        throw new NodeError("offline", "A part of Earshot could not be loaded. Earshot keeps trying.", { cause });
      },
    );
    return this.#loading;
  }

  async #loadedInTime(): Promise<LoadedParts> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.loaded();
      } catch (error) {
        if (tries === MAX_TRIES) throw error;
        await new Promise<void>((resolve) => this.#clock.setTimer(FIRST_RETRY_MS * 2 ** (tries - 1), resolve));
      }
    }
  }
}
