/** Numbers as a person reads them. */

const STEP = 1000;
const UNITS = ["B", "kB", "MB", "GB", "TB"] as const;

/** `0 B`, `640 kB`, `1.2 GB`; decimal units, as disks and providers count. */
export function bytesText(bytes: number): string {
  let value = Math.max(0, bytes);
  let unit = 0;
  while (value >= STEP && unit < UNITS.length - 1) {
    value /= STEP;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : Number(value.toFixed(1))} ${UNITS[unit]}`;
}

/** `40 s`, `12 min`, `3 h 20 min`, `5 days`. */
export function spanText(seconds: number): string {
  if (seconds < 60) return `${Math.max(0, Math.round(seconds))} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} days`;
}

/** `12 ms`, `0.8 ms`, or "not measured". */
export function roundTripText(milliseconds: number | null | undefined): string {
  if (milliseconds === null || milliseconds === undefined) return "not measured";
  return `${milliseconds < 10 ? Number(milliseconds.toFixed(1)) : Math.round(milliseconds)} ms`;
}

/** A count with its thousands apart. */
export function countText(count: number): string {
  return count.toLocaleString("en");
}

export function percentText(share: number): string {
  return `${Math.round(100 * share)} %`;
}

/** So much of a hex key tells it from the others. */
export function shortKey(key: string): string {
  return key.length > 12 ? `${key.slice(0, 8)}…` : key;
}
