/** Where a node listens, and is looked for, unless told otherwise. */
export const DEFAULT_PORT = 7400;
