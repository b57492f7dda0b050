/** Whether what a person types in this terminal is meant for this process. */
import { readFileSync } from "node:fs";

/** `/proc/PID/stat` of a process ("self" for this one), or undefined. */
export type ReadStat = (pid: string) => string | undefined;

/**
 * True where this process is in its terminal's foreground. One that is not (`earshot start &`) would be stopped by the kernel
 * when it reads. Under `npm start` it leads a session without a terminal of its own, and its parent's place counts. False where
 * the system does not tell (no /proc).
 */
export function isForeground(read: ReadStat = readStat): boolean {
  const own = placeOf(read("self"));
  if (own === undefined) return false;
  const place = own.foreground === NO_TERMINAL ? placeOf(read(own.parent)) : own;
  return place !== undefined && !place.isStopped && place.group === place.foreground;
}

const NO_TERMINAL = "-1";

/** "pid (name) state ppid pgrp session tty tpgid …"; the name may hold anything. */
function placeOf(stat: string | undefined) {
  if (stat === undefined) return undefined;
  const [state, parent = "", group, , , foreground] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return { isStopped: state === "T", parent, group, foreground };
}

function readStat(pid: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return undefined;
  }
}
