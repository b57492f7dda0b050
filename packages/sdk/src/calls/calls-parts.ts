/** What is loaded together once calls are to be made or taken. */
export { CallSettingsStore } from "./call-settings.ts";
export { CallsManager } from "./calls-manager.ts";
export { OverlayRelays } from "./overlay-relays.ts";
export { RelayPool } from "./relay-pool.ts";
