/** The person's own card: what to hand out so that others can add them. */
import type { Client } from "@earshot/sdk";
import { type ReadonlySignal, signal } from "@preact/signals";
import type { ClipboardPort } from "./ports.ts";

export interface MyCardModel {
  /** The card as link text, also what the QR code holds. */
  readonly card: ReadonlySignal<string>;
  /** What the copy button has to say: nothing yet, done, or refused by the browser. */
  readonly copied: ReadonlySignal<"done" | "refused" | undefined>;
  copy(): Promise<void>;
  /** Reads the card again: its hints change when the client comes online. */
  refresh(): void;
}

/** `client` knows the card. */
export function createMyCardModel(client: Client, clipboard: ClipboardPort): MyCardModel {
  const card = signal(client.card());
  const copied = signal<"done" | "refused" | undefined>(undefined);
  return {
    card,
    copied,
    copy: async () => {
      copied.value = (await clipboard.copy(card.value)) ? "done" : "refused";
    },
    refresh: () => {
      card.value = client.card();
      copied.value = undefined;
    },
  };
}
