/** The file that makes a private network: read with care, since its key makes a member. */
import { readFileSync, statSync } from "node:fs";
import { EarshotError } from "@earshot/core";
import { type NetworkConfig, parseNetworkConfig } from "@earshot/node";
import { UsageError } from "./usage-error.ts";

/** Strangers on this machine may not read it; a service's group may, as with a certificate's key. */
const NOT_FOR_ALL = 0o027;

/** Throws {@link UsageError} for no such file or one that is no network's, and EarshotError `file-not-private`. */
export function readNetworkFile(path: string): NetworkConfig {
  let text: string;
  let mode: number;
  try {
    mode = statSync(path).mode;
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new UsageError(
      (error as NodeJS.ErrnoException).code === "ENOENT"
        ? `There is no network file ${path}. Make one: earshot network create --out ${path}`
        : `The network file ${path} cannot be read.`,
    );
  }
  if (process.platform !== "win32" && (mode & NOT_FOR_ALL) !== 0)
    throw new EarshotError(
      "file-not-private",
      `Others can read ${path}, which holds a network's key: chmod 600 ${path}`,
    );
  try {
    return parseNetworkConfig(text);
  } catch (error) {
    throw error instanceof EarshotError ? new UsageError(`${path}: ${error.message}`) : error;
  }
}
