import { decodeEntry, equalBytes, toHex, unwrap } from "@earshot/core";
import type { Device } from "../api.ts";
import type { Identity } from "./identity.ts";

/** The account's active devices, in the order in which they joined. */
export function ownDevices({ entries, devices, deviceId }: Identity): Device[] {
  const added = entries.map((entry) => unwrap(decodeEntry(entry))).filter(({ operation }) => operation === "add");
  return added
    .filter(({ deviceKey }) => devices.some((active) => equalBytes(active, deviceKey)))
    .map(({ deviceKey, time }) => ({ id: toHex(deviceKey), addedAt: time, current: toHex(deviceKey) === deviceId }));
}
