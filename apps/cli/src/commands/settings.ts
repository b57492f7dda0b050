/** `earshot settings`: what this device's calls may do, kept in the home folder. */
import type { CallSettings, HideAddress } from "@earshot/sdk";
import { RELAY_LEVELS } from "../call-options.ts";
import type { CommonOptions } from "../common-options.ts";
import { openSession } from "../session.ts";
import type { Terminal } from "../terminal.ts";
import { UsageError } from "../usage-error.ts";

export interface SettingsOptions extends CommonOptions {
  /** Which relays may carry calls: `never`, `trusted` or `any`. */
  readonly relay?: string;
  /** From whom this machine's address is kept: `off`, `strangers` or `always`. */
  readonly hideAddress?: string;
  /** `on` or `off`. */
  readonly lowData?: string;
}

const HIDINGS: Readonly<Record<HideAddress, string>> = { never: "off", strangers: "strangers", everyone: "always" };
const RELAY_TEXTS: Readonly<Record<CallSettings["relayConsent"], string>> = {
  never: "never: calls go straight, or not at all",
  trusted: "trusted: only yours and your contacts' carry calls that find no direct way",
  any: "any: whoever's carry calls that find no direct way",
};
const HIDING_TEXTS: Readonly<Record<HideAddress, string>> = {
  never: "off: whoever is called, or may ring you, learns it",
  strangers: "strangers: from contacts you have not been in a call with, and from devices that are new",
  everyone: "always: every call goes over a relay",
};

/** Changes what the options name, and shows what holds from now on. Without options, shows it. */
export async function callSettings(options: SettingsOptions, terminal: Terminal, words: readonly string[]) {
  if (words.length > 0)
    throw new UsageError(`settings ${words.join(" ")}? There are --relay, --hide-address and --low-data.`);
  const changes = settingChanges(options);
  const { client, close } = await openSession(options);
  try {
    checkTogether({ ...(await client.callSettings()), ...changes });
    if (Object.keys(changes).length > 0) await client.setCallSettings(changes);
    tell(await client.callSettings(), terminal);
  } finally {
    await close();
  }
}

/** What the options say. Throws {@link UsageError} with the words there are. */
export function settingChanges({ relay, hideAddress, lowData }: SettingsOptions): Partial<CallSettings> {
  const hidings = Object.keys(HIDINGS) as HideAddress[];
  return {
    ...(relay === undefined ? {} : { relayConsent: chosen("--relay", relay, RELAY_LEVELS, RELAY_LEVELS) }),
    ...(hideAddress === undefined
      ? {}
      : { hideAddress: chosen("--hide-address", hideAddress, Object.values(HIDINGS), hidings) }),
    ...(lowData === undefined ? {} : { lowData: chosen("--low-data", lowData, ["on", "off"], [true, false]) }),
  };
}

/** What stands at the place of `word` among `words`. */
function chosen<T>(option: string, word: string, words: readonly string[], values: readonly T[]): T {
  const value = values[words.indexOf(word)];
  if (value === undefined) throw new UsageError(`${option} takes ${words.join(", ")}, not "${word}".`);
  return value;
}

function checkTogether({ relayConsent, hideAddress }: CallSettings): void {
  if (relayConsent === "never" && hideAddress !== "never")
    throw new UsageError(
      "To hide your address takes a relay, and none would be allowed: --relay trusted or any, or --hide-address off.",
    );
}

function tell({ relayConsent, hideAddress, lowData }: CallSettings, terminal: Terminal): void {
  terminal.emit({ settings: { relay: relayConsent, hideAddress: HIDINGS[hideAddress], lowData } });
  terminal.say(`relays         ${RELAY_TEXTS[relayConsent]}`);
  terminal.say(`hide address   ${HIDING_TEXTS[hideAddress]}`);
  terminal.say(
    `low data       ${lowData ? "on: a lean voice, hardly anything in silence, a small picture if any" : "off"}`,
  );
}
