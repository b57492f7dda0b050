/** Settings: the name, the recovery phrase (shown on request only), the backup. */
import type { Client } from "@earshot/sdk";
import { type ReadonlySignal, signal } from "@preact/signals";
import { nameProblem } from "./first-run.ts";
import { accountProblem, codeOf } from "./plain-words.ts";
import type { DownloadPort, NotePort } from "./ports.ts";

const PHRASE_SEEN_KEY = "phrase-seen";

export interface SettingsModel {
  readonly id: string;
  readonly name: ReadonlySignal<string>;
  /** Words, while shown. */
  readonly phrase: ReadonlySignal<readonly string[] | undefined>;
  /** True until the phrase was shown once or the person said "not now" for good. */
  readonly remindOfPhrase: ReadonlySignal<boolean>;
  readonly message: ReadonlySignal<{ readonly text: string; readonly bad: boolean } | undefined>;
  saveName(name: string): Promise<void>;
  showPhrase(): Promise<void>;
  hidePhrase(): void;
  /** The dialog closed: nothing secret and no old message stays. */
  leave(): void;
  dismissReminder(): void;
  downloadBackup(): Promise<void>;
  restore(): Promise<void>;
}

/** `download` saves the backup; `notes` remember that the phrase was seen. */
export function createSettingsModel(client: Client, notes: NotePort, download: DownloadPort): SettingsModel {
  const name = signal(client.name);
  const phrase = signal<readonly string[] | undefined>(undefined);
  const remindOfPhrase = signal(false);
  const message = signal<{ readonly text: string; readonly bad: boolean } | undefined>(undefined);

  const seen = () => {
    remindOfPhrase.value = false;
    void notes.save(PHRASE_SEEN_KEY, true).catch(() => undefined);
  };
  const attempt = async (act: () => Promise<string | undefined>) => {
    message.value = undefined;
    try {
      const text = await act();
      if (text) message.value = { text, bad: false };
    } catch (error) {
      message.value = { text: accountProblem(codeOf(error)), bad: true };
    }
  };

  return {
    id: client.id,
    name,
    phrase,
    remindOfPhrase,
    message,
    saveName: async (next) => {
      const tooLong = nameProblem(next);
      if (tooLong || next.trim() === "") {
        message.value = { text: tooLong ? accountProblem(tooLong) : "Please enter a name.", bad: true };
        return;
      }
      await attempt(async () => {
        await client.setName(next.trim());
        name.value = client.name;
        return "Name saved.";
      });
    },
    showPhrase: () =>
      attempt(async () => {
        phrase.value = (await client.recoveryPhrase()).split(" ");
        seen();
        return undefined;
      }),
    hidePhrase: () => {
      phrase.value = undefined;
    },
    leave: () => {
      phrase.value = undefined;
      message.value = undefined;
    },
    dismissReminder: seen,
    downloadBackup: () =>
      attempt(async () => {
        download.save("earshot-backup.bin", await client.backup());
        return "Backup saved. It opens only with your recovery phrase.";
      }),
    restore: async () => {
      remindOfPhrase.value = (await notes.load(PHRASE_SEEN_KEY)) !== true;
    },
  };
}
