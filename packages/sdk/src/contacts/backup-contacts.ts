import { type BackupContact, contactSecret } from "@earshot/core";
import type { ContactEntry } from "./contact-codec.ts";

/** A contact as the backup keeps it; undefined for those that are none. */
export function backupOf(
  self: Uint8Array,
  { state, label, addedAt, listHead }: ContactEntry,
): BackupContact | undefined {
  const { status, accountKey } = state;
  if (status === "none" || status === "requested") return undefined;
  const locators = status === "blocked" ? [] : state.locators;
  return {
    accountKey,
    name: label || (status === "contact" ? state.name : ""),
    state: status,
    addedAt,
    pairwiseSecret: contactSecret(self, state) ?? null,
    locators: locators.map(({ deviceKey, locatorKey }) => ({ deviceKey, locatorKey })),
    listHead,
  };
}
