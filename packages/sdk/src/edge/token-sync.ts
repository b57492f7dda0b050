import { type EdgeSession, MAX_TOKENS_PER_FRAME, type TokenEntry, toHex } from "@earshot/core";
import { NodeError } from "../errors.ts";

/** Keeps the tokens registered at the home in line with those wanted, telling it of the differences alone. */
export class TokenSync {
  /** What this process has registered. Undefined: unknown, so all is cleared first. */
  #registered: Map<string, TokenEntry> | undefined;

  /** Nothing is known any more of what is registered: another mailbox, or another home. */
  reset(): void {
    this.#registered = undefined;
  }

  /** Resolves when the home has what is wanted. Throws {@link NodeError} `node-refused`. Not to be run twice at once. */
  async sync(session: EdgeSession, mailboxId: Uint8Array, entries: readonly TokenEntry[]): Promise<void> {
    const wanted = new Map(entries.map((entry) => [`${entry.day} ${toHex(entry.tokenHash)}`, entry]));
    if (!this.#registered) {
      await session.request({ type: "set-tokens", mailboxId, operation: "clear", tokens: [] });
      this.#registered = new Map();
    }
    const registered = this.#registered;
    const missing = [...wanted].filter(([key]) => !registered.has(key));
    const surplus = [...registered].filter(([key]) => !wanted.has(key));
    for (const [operation, changes] of [
      ["add", missing],
      ["remove", surplus],
    ] as const) {
      for (let at = 0; at < changes.length; at += MAX_TOKENS_PER_FRAME) {
        const chunk = changes.slice(at, at + MAX_TOKENS_PER_FRAME);
        const tokens = chunk.map(([, entry]) => entry);
        const answer = await session.request({ type: "set-tokens", mailboxId, operation, tokens });
        if (!answer.ok) throw new NodeError("node-refused", `The node does not take tokens (${answer.code}).`);
        for (const [key, entry] of chunk) {
          if (operation === "add") registered.set(key, entry);
          else registered.delete(key);
        }
      }
    }
  }
}
