// Threads don't inherit the loader that understands TypeScript: it is registered here first.
import { register } from "tsx/esm/api";

register();
await import("./worker.ts");
