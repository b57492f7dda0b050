/** Where this machine sends what is for elsewhere: the only one that is asked for ports. */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { isIPv4 } from "node:net";

/** Of a table of routes: a machine has a few. */
const MAX_TABLE_BYTES = 64 * 1024;
const COMMAND_TIMEOUT_MS = 2_000;

/** Linux, `/proc/net/route`: addresses are hex in the machine's byte order, little-endian wherever Node runs. */
export function gatewayOfProc(table: string): string | undefined {
  const found = table.split("\n").flatMap((line) => {
    const [, destination, gateway = "", flags = "", , , metric = "", mask] = line
      .split("\t")
      .map((cell) => cell.trim());
    const leadsOut = destination === "00000000" && mask === "00000000" && (Number.parseInt(flags, 16) & 3) === 3;
    if (!leadsOut || !/^[0-9A-F]{8}$/i.test(gateway)) return [];
    return [{ address: [...Buffer.from(gateway, "hex")].toReversed().join("."), metric: Number(metric) }];
  });
  return found.toSorted((a, b) => a.metric - b.metric)[0]?.address;
}

/** macOS and the BSDs, `route -n get default`. */
export function gatewayOfBsd(text: string): string | undefined {
  const [, address = ""] = /^[ \t]*gateway: (\S+)$/m.exec(text) ?? [];
  return isIPv4(address) ? address : undefined;
}

/** Windows, `route print -4 0.0.0.0`, in any language: destination, mask, gateway, interface, metric. */
export function gatewayOfWindows(text: string): string | undefined {
  const rows = [...text.matchAll(/^[ \t]*0\.0\.0\.0[ \t]+0\.0\.0\.0[ \t]+(\S+)[ \t]+\S+[ \t]+(\d+)[ \t\r]*$/gm)];
  const found = rows.flatMap(([, address = "", metric]) =>
    isIPv4(address) ? [{ address, metric: Number(metric) }] : [],
  );
  return found.toSorted((a, b) => a.metric - b.metric)[0]?.address;
}

/** IPv4; undefined where there is none, or where it cannot be found out. Never rejects. */
export async function findDefaultGateway(platform = process.platform): Promise<string | undefined> {
  try {
    if (platform === "linux")
      return gatewayOfProc((await readFile("/proc/net/route", "latin1")).slice(0, MAX_TABLE_BYTES));
    if (platform === "win32") {
      const root = process.env["SystemRoot"] ?? "C:\\Windows";
      return gatewayOfWindows(await outputOf(`${root}\\System32\\route.exe`, ["print", "-4", "0.0.0.0"]));
    }
    return gatewayOfBsd(await outputOf("/sbin/route", ["-n", "get", "default"]));
  } catch {
    return undefined;
  }
}

function outputOf(command: string, args: readonly string[]): Promise<string> {
  const options = { timeout: COMMAND_TIMEOUT_MS, maxBuffer: MAX_TABLE_BYTES, windowsHide: true };
  return new Promise((resolve, reject) => {
    execFile(command, args, options, (error, stdout) => (error ? reject(error as Error) : resolve(stdout)));
  });
}
