/** What the daemon and its Echo process tell each other, over the child's IPC channel. */

/** To the child, once, at its start. The token goes this way so that it is in no process list. */
export interface EchoOrders {
  /** Echo's own home folder. */
  readonly home: string;
  readonly url: string;
  readonly token: string;
}

/** From the child: online under this card, or what keeps it from it (an `EarshotError` code). */
export type EchoReport = { readonly card: string } | { readonly problem: string };

export function isEchoOrders(value: unknown): value is EchoOrders {
  const { home, url, token } = (value ?? {}) as Record<string, unknown>;
  return typeof home === "string" && typeof url === "string" && typeof token === "string";
}

export function isEchoReport(value: unknown): value is EchoReport {
  const { card, problem } = (value ?? {}) as Record<string, unknown>;
  return typeof card === "string" || typeof problem === "string";
}
