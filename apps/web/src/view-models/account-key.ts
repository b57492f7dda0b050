/** The account key: whether it is on this device, taking it offline, and what it is asked for while it is away. */
import type { AccountKeyNeed, AccountStatus, Client } from "@earshot/sdk";
import { computed, type ReadonlySignal, signal } from "@preact/signals";
import { accountProblem, codeOf } from "./plain-words.ts";

export interface AccountKeyModel {
  readonly keyHere: ReadonlySignal<boolean>;
  /** Where the key is and, while it is away, until when that goes well. */
  readonly state: ReadonlySignal<string>;
  /** Why the words are asked for; undefined while they are not. */
  readonly banner: ReadonlySignal<string | undefined>;
  /** The words being typed. */
  readonly phrase: ReadonlySignal<string>;
  readonly busy: ReadonlySignal<boolean>;
  readonly problem: ReadonlySignal<string | undefined>;
  setPhrase(text: string): void;
  /** Signs for the coming weeks with the words; the key stays on this device where `keep`. True when done. */
  sign(keep: boolean): Promise<boolean>;
  /** The dialog closed: no words stay. */
  leave(): void;
  dispose(): void;
}

const PROBLEMS: Readonly<Record<string, string>> = {
  "wrong-account": "These words are another account’s. Use the ones that this account was given.",
  offline: "You are offline. Try again once you are connected.",
  "node-refused": "Your node does not answer for your other devices now. Nothing was changed; try again in a minute.",
};

/** Follows `client.account`. */
export function createAccountKeyModel(client: Client): AccountKeyModel {
  const account = signal(client.account);
  const phrase = signal("");
  const busy = signal(false);
  const problem = signal<string | undefined>(undefined);
  const unsubscribe = client.on("account", (next) => {
    account.value = next;
  });
  return {
    keyHere: computed(() => account.value.keyHere),
    state: computed(() => stateText(account.value)),
    banner: computed(() => account.value.keyNeeded && NEEDS[account.value.keyNeeded]),
    phrase,
    busy,
    problem,
    setPhrase: (text) => {
      phrase.value = text;
      problem.value = undefined;
    },
    sign: async (keep) => {
      busy.value = true;
      problem.value = undefined;
      try {
        await client.provideAccountKey(phrase.value, { keep });
        phrase.value = "";
        return true;
      } catch (error) {
        problem.value = PROBLEMS[codeOf(error)] ?? accountProblem(codeOf(error));
        return false;
      } finally {
        account.value = client.account;
        busy.value = false;
      }
    },
    leave: () => {
      phrase.value = "";
      problem.value = undefined;
    },
    dispose: unsubscribe,
  };
}

const NEEDS: Readonly<Record<AccountKeyNeed, string>> = {
  "records-end":
    "Your recovery phrase is needed soon: what it signed in advance runs out, and then nobody new can ask to be your contact. Enter it in the settings.",
  "certificate-ends":
    "Your recovery phrase is needed soon: this device’s certificate runs out, and then your contacts can no longer call you. Enter it in the settings.",
  "devices-changed":
    "Your recovery phrase is needed: your devices have changed, and new people may not find this one. Enter it in the settings.",
  "mailbox-moved":
    "Your recovery phrase is needed: this device’s mailbox has moved, and new people cannot find it. Enter it in the settings.",
};

function stateText({ keyHere, signedUntil }: AccountStatus): string {
  if (keyHere) return "It is in this browser. Whoever takes this device over could be you for good.";
  const until = signedUntil === undefined ? "" : ` Enter the words again before ${dayText(signedUntil)}.`;
  return `It is kept offline: only your 24 words hold it.${until}`;
}

function dayText(at: number): string {
  return new Date(at).toLocaleDateString([], { dateStyle: "medium" });
}
