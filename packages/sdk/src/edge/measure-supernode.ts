import type { Home } from "@earshot/core";
import type { NodeAddress } from "../api.ts";
import { EdgeLink, type EdgeLinkPorts } from "./edge-link.ts";

/** One that does not answer within this is not taken. */
const MEASURE_LIMIT_MS = 3_000;

/** Milliseconds to a supernode and back, over a connection of its own. Rejects where it is not reached, or has no place. */
export async function measureSupernode(ports: EdgeLinkPorts, home: Home, address: NodeAddress): Promise<number> {
  const options = { expectedKey: () => home.supernodeKey };
  const link = new EdgeLink(ports, () => address, {}, options);
  link.start();
  try {
    const session = await link.whenUp(MEASURE_LIMIT_MS);
    const at = ports.clock.now();
    if (!(await session.request({ type: "ping" })).ok) throw new Error("it has no place");
    return ports.clock.now() - at;
  } finally {
    link.stop();
  }
}
