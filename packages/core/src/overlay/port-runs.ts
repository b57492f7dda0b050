/** Ports of a node's report for people to read: those that follow one another as one. */
import type { PortMapping } from "./node-report.ts";

export interface PortRun {
  readonly use: PortMapping["ports"][number]["use"];
  readonly protocol: "udp" | "tcp";
  /** Both included; the same where it is one port. */
  readonly first: number;
  readonly last: number;
}

/** In their order, whether they are mapped or not. */
export function portRuns(ports: PortMapping["ports"]): readonly PortRun[] {
  const runs: PortRun[] = [];
  for (const { use, protocol, port } of ports) {
    const before = runs.at(-1);
    const goesOn = before?.use === use && before.protocol === protocol && before.last + 1 === port;
    if (goesOn) runs.splice(-1, 1, { ...before, last: port });
    else runs.push({ use, protocol, first: port, last: port });
  }
  return runs;
}
