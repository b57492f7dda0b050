import { readFileSync } from "node:fs";
import { open, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { StorageError } from "../errors.ts";

/** Tries at taking over locks that dead processes left: each round removes one. */
const MAX_TAKEOVERS = 5;

/** Marks a process beyond its pid, which gets reused: on Linux its start time; elsewhere nothing. */
function startTimeOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
  } catch {
    return "";
  }
}

function lives(lock: string): boolean {
  const [pidText = "", startTime = ""] = lock.trim().split(" ");
  const pid = Number.parseInt(pidText, 10);
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
  const now = startTimeOf(pid);
  return startTime === "" || now === "" || now === startTime;
}

/**
 * Takes the lock of a data folder; the result gives it back. Throws {@link StorageError} `storage-in-use` while another
 * live process (or another client of this one) holds it. A lock whose process is gone is taken over.
 */
export async function lockHome(folder: string): Promise<() => Promise<void>> {
  const path = join(folder, "lock");
  const mine = `${process.pid} ${startTimeOf(process.pid)}`;
  for (let round = 0; round < MAX_TAKEOVERS; round++) {
    try {
      const file = await open(path, "wx", 0o600);
      await file.writeFile(mine);
      await file.close();
      return () => rm(path, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const held = await readFile(path, "utf8").catch(() => "");
    if (held === "" ? round === 0 : lives(held)) {
      if (held !== "") throw inUse(folder, held);
      // Just created and not yet written, or left empty by a crash: one more look decides.
      await new Promise((resolve) => setTimeout(resolve, 50));
      continue;
    }
    const aside = `${path}.stale-${process.pid}`;
    await rename(path, aside).catch(() => {});
    await rm(aside, { force: true });
  }
  throw inUse(folder, "");
}

function inUse(folder: string, lock: string): StorageError {
  const pid = lock.split(" ")[0];
  return new StorageError(
    "storage-in-use",
    `${folder} is in use by another Earshot process${pid ? ` (pid ${pid})` : ""}. Stop it, or pick another folder with --home.`,
  );
}
