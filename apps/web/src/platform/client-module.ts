/**
 * Everything of the SDK and core that the page uses, behind one dynamic import: the first screen is on before it is
 * there, and whoever only gets to read "open the address that your node printed" never fetches it.
 */
import { decodeCard, encodeId } from "@earshot/core";
import type { CardCheck } from "../view-models/ports.ts";

export { createClient } from "@earshot/sdk";
export { browserClientOptions } from "@earshot/sdk/browser";

/** A card, link or id as core reads it. */
export function checkCard(text: string): CardCheck {
  const card = decodeCard(text);
  return card.ok ? { ok: true, id: encodeId(card.value.accountKey), name: card.value.name } : card;
}
