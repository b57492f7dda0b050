/** What the person lets their calls do: which relays may carry them, and from whom this device's address is kept. */
import type { CallSettings, Client } from "@earshot/sdk";
import { computed, type ReadonlySignal, signal } from "@preact/signals";

export interface CallPrivacyModel {
  /** Undefined until read. */
  readonly settings: ReadonlySignal<CallSettings | undefined>;
  /** The two choices exclude each other: hiding takes a relay. */
  readonly conflict: ReadonlySignal<string | undefined>;
  readonly problem: ReadonlySignal<string | undefined>;
  /** Kept at once, and for calls from now on. */
  choose(changes: Partial<CallSettings>): Promise<void>;
}

const CONFLICT =
  "These two do not go together: hiding your address takes a relay, and you allow none. Such calls cannot be made.";

/** Reads the settings of `client`. */
export function createCallPrivacyModel(client: Client): CallPrivacyModel {
  const settings = signal<CallSettings | undefined>(undefined);
  const problem = signal<string | undefined>(undefined);
  const read = async () => {
    settings.value = await client.callSettings();
  };
  const attempt = async (act: () => Promise<void>, failed: string) => {
    try {
      problem.value = undefined;
      await act();
    } catch {
      problem.value = failed;
    }
  };
  void attempt(read, "What you have chosen could not be read. Close the settings and open them again.");
  return {
    settings,
    conflict: computed(() =>
      settings.value?.relayConsent === "never" && settings.value.hideAddress !== "never" ? CONFLICT : undefined,
    ),
    problem,
    choose: (changes) =>
      attempt(async () => {
        // What stands on the screen is what holds, also where keeping it fails.
        try {
          await client.setCallSettings(changes);
        } finally {
          await read();
        }
      }, "That could not be kept. Try again."),
  };
}

export const RELAY_CHOICES: readonly (readonly [CallSettings["relayConsent"], string])[] = [
  ["any", "Any relay, so that as many calls as possible connect"],
  ["trusted", "Only relays of mine and my contacts"],
  ["never", "None: calls without a direct path fail"],
];

export const HIDE_CHOICES: readonly (readonly [CallSettings["hideAddress"], string])[] = [
  ["never", "From nobody: calls go straight where they can"],
  ["strangers", "From contacts I have not talked to here yet"],
  ["everyone", "From everyone"],
];
