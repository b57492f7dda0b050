import { accept, type BackupContact, decodeContactState, encodeContactState, type Result } from "@earshot/core";
import type { ContactEntry } from "./contact-codec.ts";

/** A contact as the backup keeps it; undefined for those that are none. */
export function backupOf({ state, label, addedAt, listHead }: ContactEntry): BackupContact | undefined {
  const { status, accountKey } = state;
  if (status === "none" || status === "requested") return undefined;
  const name = label || (status === "contact" ? state.name : "");
  return { accountKey, name, state: status, addedAt, relation: encodeContactState(state), listHead };
}

/** What a backup holds of a contact, whose seen devices are those that it is found by. Refused: what contact states are. */
export function entryOf({ name, addedAt, relation, listHead }: BackupContact): Result<ContactEntry> {
  const state = decodeContactState(relation);
  if (!state.ok) return state;
  const devices = "locators" in state.value ? state.value.locators.map(({ deviceKey }) => deviceKey) : [];
  return accept({ state: state.value, label: name, addedAt, listHead, revoked: [], devices });
}
