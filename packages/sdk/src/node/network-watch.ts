import { networkInterfaces } from "node:os";

/** Half the time in which a person notices that the other's voice is gone. Looking takes about 50 µs. */
const LOOK_MS = 250;

/** This machine's addresses now, those that no other machine can see included. */
export function ownAddresses(): ReadonlySet<string> {
  const all = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  // A connection from an IPv4 address may be one of an IPv6 socket.
  return new Set(
    all.flatMap(({ address, family }) => (family === "IPv4" ? [address, `::ffff:${address}`] : [address])),
  );
}

/** Tells when this machine's addresses change: Node has no event for it. Keeps no process running. The result ends it. */
export function watchAddresses(
  changed: (addresses: ReadonlySet<string>) => void,
  addresses: () => ReadonlySet<string> = ownAddresses,
): () => void {
  let known = nameOf(addresses());
  const timer = setInterval(() => {
    const now = addresses();
    if (nameOf(now) === known) return;
    known = nameOf(now);
    changed(now);
  }, LOOK_MS);
  timer.unref();
  return () => clearInterval(timer);
}

function nameOf(addresses: ReadonlySet<string>): string {
  return [...addresses].sort().join(" ");
}
