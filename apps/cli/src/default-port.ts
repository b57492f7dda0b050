/** Where a node listens, and is looked for, unless told otherwise. */
export const DEFAULT_PORT = 7400;

/** Of `earshot supernode --dedicated`. */
export const DEDICATED_DEFAULTS = { listen: "0.0.0.0", port: "8443", ownPort: String(DEFAULT_PORT) } as const;
