import { type DevicePlace, type Place, RECORD_MAX_PLACES } from "@earshot/core";

/** The places of an account's devices as a record has room for them: the first of each device, then the second of each, and so on. */
export function shareOut(devices: readonly (readonly Place[])[]): DevicePlace[] {
  const rounds = Math.max(0, ...devices.map((places) => places.length));
  const shared = Array.from({ length: rounds }, (_, round) =>
    devices.flatMap((places, device) => (places[round] ? [{ ...(places[round] as Place), device }] : [])),
  );
  return shared.flat().slice(0, RECORD_MAX_PLACES);
}
