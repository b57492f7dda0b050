import { type OpenedEnvelope, openEnvelope, type RefusalCode } from "@earshot/core";
import type { Lane } from "../edge/mailboxes.ts";
import type { Identity, IdentityPorts } from "../identity/identity.ts";
import type { Prekeys } from "../identity/prekeys.ts";
import type { ContactBook } from "../contacts/contact-book.ts";
import { EnvelopeCopies } from "./envelope-copies.ts";
import { contradicts, isRestarted } from "../contacts/known-devices.ts";

export interface RouterParts {
  readonly ports: IdentityPorts;
  readonly identity: Identity;
  readonly prekeys: Prekeys;
  readonly book: ContactBook;
}

/** Where opened envelopes go. */
export interface RouterHandlers {
  onCall(opened: OpenedEnvelope): void;
  /** Resolves when what it changes is durable. */
  onContactMessage(opened: OpenedEnvelope): Promise<void>;
  /** A device signed this that was never seen; `restarted`: under a list that does not go on from the known one. */
  onNewDevice(accountKey: Uint8Array, deviceKey: Uint8Array, restarted: boolean): void;
  /** A contact's device list may be ahead of what is known here. */
  onListAhead(accountKey: Uint8Array): void;
  onRefused(code: RefusalCode): void;
}

/** Opens envelopes, refuses what may not come this way, and hands on the rest. */
export class EnvelopeRouter {
  readonly #parts: RouterParts;
  readonly #handlers: RouterHandlers;
  readonly #copies = new EnvelopeCopies();

  constructor(parts: RouterParts, handlers: RouterHandlers) {
    this.#parts = parts;
    this.#handlers = handlers;
  }

  /**
   * Resolves when the envelope may be acknowledged. `source`: the home that brought it; the same envelope from another home is
   * its copy, which is dropped without a word. Rejects only where the storage fails.
   */
  async handle(envelope: Uint8Array, lane: Lane, source = ""): Promise<void> {
    const { ports, identity, prekeys, book } = this.#parts;
    const opened = await openEnvelope(
      ports.signatures,
      envelope,
      {
        accountKey: identity.accountKey,
        deviceKey: identity.deviceKey,
        findPrekey: (id) => prekeys.find(id),
        isRevoked: (account, device) => book.isRevoked(account, device),
        replays: prekeys.replays,
      },
      ports.clock.now(),
    );
    const isCopy = this.#copies.isCopy(envelope, source);
    if (!opened.ok) return opened.code === "replayed" && isCopy ? undefined : this.#handlers.onRefused(opened.code);
    await this.#dispatch(opened.value, lane);
  }

  async #dispatch(opened: OpenedEnvelope, lane: Lane): Promise<void> {
    const { prekeys, book } = this.#parts;
    const { accountKey, deviceKey, listHead } = opened.sender;
    if (opened.kind !== "call") {
      // Strangers' lane carries requests and nothing else: whatever else comes by it was not paid for with a token.
      if (lane === "request" && opened.kind !== "contact-request") return this.#handlers.onRefused("not-allowed");
      const refused = await this.#meet(opened);
      if (refused) return this.#handlers.onRefused(refused);
      await this.#handlers.onContactMessage(opened);
      // Of somebody who was unknown before, this is the first device.
      await book.learnDevice(accountKey, deviceKey);
      this.#noteList(accountKey, listHead.n);
      // After what it asks for: repeating that after a crash does no harm, losing it would.
      return prekeys.persistReplays(opened.prekeyId);
    }
    // Before it rings: a call that was had must not ring again after a crash.
    await prekeys.persistReplays(opened.prekeyId);
    if (lane === "request") return this.#handlers.onRefused("not-allowed");
    if (book.get(accountKey)?.state.status !== "contact") return this.#handlers.onRefused("unknown-sender");
    const refused = await this.#meet(opened);
    if (refused) return this.#handlers.onRefused(refused);
    this.#noteList(accountKey, listHead.n);
    this.#handlers.onCall(opened);
  }

  /** Tells of a device that was never seen before anything it sent is acted on, and gives what the envelope is refused for. */
  async #meet({ sender: { accountKey, deviceKey, listHead } }: OpenedEnvelope): Promise<RefusalCode | undefined> {
    const { book } = this.#parts;
    const entry = book.get(accountKey);
    if (!entry) return undefined;
    for (const device of book.newDevices(accountKey, deviceKey))
      this.#handlers.onNewDevice(entry.state.accountKey, device, isRestarted(entry, listHead));
    if (!(await book.learnDevice(accountKey, deviceKey))) return "too-many";
    return contradicts(entry, listHead) ? "rolled-back" : undefined;
  }

  #noteList(accountKey: Uint8Array, n: number): void {
    const entry = this.#parts.book.get(accountKey);
    if (entry?.state.status === "contact" && n > (entry.listHead?.n ?? 0))
      this.#handlers.onListAhead(entry.state.accountKey);
  }
}
