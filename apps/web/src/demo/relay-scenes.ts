/** Calls over relays, and what the person lets their calls do. */
import type { CallPath, CallRelay } from "@earshot/sdk";
import type { HomeModel } from "../view-models/home.ts";
import { GRACE, people } from "./people.ts";
import type { Scene, Stage } from "./scenes.ts";

const MINE: CallRelay = { operator: "Ada’s own server", key: "5f".repeat(32), side: "mine", trusted: true };
const THEIRS: CallRelay = {
  operator: "Verein-zur-Förderung-freier-Netze-und-offener-Relais-eV",
  key: "a7".repeat(32),
  side: "theirs",
  trusted: false,
};
const RELAYED: CallPath = {
  kind: "relayed",
  protocol: "udp",
  localType: "relay",
  remoteType: "srflx",
  localAddress: "198.51.100.9:50112",
  remoteAddress: "203.0.113.7:40211",
  roundTripMs: 61.2,
  confirmed: true,
  missingCandidates: 0,
  relay: MINE,
  farRelay: null,
  addressHidden: false,
  directShouldHaveWorked: false,
};

/** A call to Grace that travels like that. */
function travelling(path: Partial<CallPath>): Scene {
  return {
    before: people,
    then: async ({ platform }: Stage, home: HomeModel) => {
      home.contacts.select(GRACE.id);
      await home.calls.start(GRACE, false);
      const words = ["harbor", "velvet", "orbit", "lantern"];
      platform.client.lastCall?.now({ phase: "connecting", words, answeredAt: platform.clock.now() });
      platform.client.lastCall?.now({ phase: "active", confirmed: true, path: { ...RELAYED, ...path } });
    },
  };
}

/** The settings, with these chosen. */
function chosen(settings: Stage["platform"]["client"]["settings"]): Scene {
  return {
    before: (stage) => {
      people(stage);
      stage.platform.client.settings = settings;
    },
    then: (_stage, home) => home.open("settings"),
  };
}

export const RELAY_SCENES: Readonly<Record<string, Scene>> = {
  "relayed-mine": travelling({}),
  "relayed-theirs": travelling({ localType: "host", remoteType: "relay", relay: THEIRS }),
  "relayed-trusted": travelling({
    localType: "host",
    remoteType: "relay",
    relay: { operator: "Grace’s attic", key: "c3".repeat(32), side: "theirs", trusted: true },
  }),
  "relayed-both": travelling({ remoteType: "relay", farRelay: THEIRS, protocol: "tcp" }),
  "relayed-needlessly": travelling({ directShouldHaveWorked: true, relay: { ...MINE, operator: "", trusted: false } }),
  "address-hidden": travelling({ addressHidden: true }),
  "relay-needed": {
    before: people,
    then: async ({ platform }, home) => {
      home.contacts.select(GRACE.id);
      await home.calls.start(GRACE, false);
      platform.client.lastCall?.end("relay-needed", platform.clock.now());
    },
  },
  "relay-missing": {
    before: people,
    then: async ({ platform }, home) => {
      platform.client.emit("missed", {
        contactId: GRACE.id,
        callId: "m2",
        at: platform.clock.now(),
        relayNeeded: true,
      });
      platform.client.failNext = "no-relay";
      home.contacts.select(GRACE.id);
      await home.calls.start(GRACE, false);
    },
  },
  "call-privacy": chosen({ relayConsent: "trusted", hideAddress: "strangers", lowData: true }),
  "call-privacy-conflict": chosen({ relayConsent: "never", hideAddress: "everyone", lowData: false }),
};
