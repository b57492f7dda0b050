/** What a process holds: its whole memory, as its kernel shows it to whoever owns the machine. Linux. */
import { closeSync, openSync, readFileSync, readSync } from "node:fs";

const CHUNK = 4 * 1024 * 1024;
/** A needle may lie across two chunks. */
const OVERLAP = 256;

/** Which of these bytes are anywhere in what the process can read and write. */
export function foundInMemory(pid: number, needles: ReadonlyMap<string, Buffer>): Set<string> {
  const found = new Set<string>();
  const memory = openSync(`/proc/${pid}/mem`, "r");
  const buffer = Buffer.alloc(CHUNK + OVERLAP);
  try {
    for (const [start, end] of writableRanges(pid)) {
      for (let at = start; at < end; at += CHUNK) {
        const length = readAt(memory, buffer, at, Math.min(CHUNK + OVERLAP, end - at));
        const part = buffer.subarray(0, length);
        for (const [name, needle] of needles) if (!found.has(name) && part.includes(needle)) found.add(name);
      }
    }
  } finally {
    closeSync(memory);
  }
  return found;
}

function writableRanges(pid: number): [number, number][] {
  const lines = readFileSync(`/proc/${pid}/maps`, "utf8").split("\n");
  return lines.flatMap((line): [number, number][] => {
    const [, from = "", to = ""] = /^([0-9a-f]+)-([0-9a-f]+) rw/.exec(line) ?? [];
    return from === "" ? [] : [[Number.parseInt(from, 16), Number.parseInt(to, 16)]];
  });
}

/** 0 where the kernel has nothing to show, as for device memory. */
function readAt(file: number, buffer: Buffer, at: number, length: number): number {
  try {
    return readSync(file, buffer, 0, length, at);
  } catch {
    return 0;
  }
}
