/** First run: a name, or an account restored from its recovery phrase. */
import { computed, type ReadonlySignal, signal } from "@preact/signals";
import { accountProblem, codeOf } from "./plain-words.ts";
import type { OpenOptions } from "./ports.ts";

/** Bytes of UTF-8 that a name may take in a contact request (docs/protocol/call.md section 1). */
export const MAX_NAME_BYTES = 48;
/** The largest backup there is (docs/protocol/identity.md section 6). */
export const MAX_BACKUP_BYTES = 1 << 20;

/** Whether `name` fits: a code for {@link accountProblem}, or undefined. */
export function nameProblem(name: string): string | undefined {
  return new TextEncoder().encode(name.trim()).length > MAX_NAME_BYTES ? "name-too-long" : undefined;
}

export interface FirstRunModel {
  readonly restoring: ReadonlySignal<boolean>;
  readonly name: ReadonlySignal<string>;
  readonly phrase: ReadonlySignal<string>;
  readonly backupName: ReadonlySignal<string | undefined>;
  readonly problem: ReadonlySignal<string | undefined>;
  readonly busy: ReadonlySignal<boolean>;
  setRestoring(restoring: boolean): void;
  setName(name: string): void;
  setPhrase(phrase: string): void;
  /** `read` gives the chosen file's bytes; undefined takes the choice back. */
  setBackup(
    file: { readonly name: string; readonly size: number; read(): Promise<Uint8Array> } | undefined,
  ): Promise<void>;
  submit(): Promise<void>;
}

/** `begin` makes the account and goes on to the contact list; it throws what the SDK throws. */
export function createFirstRunModel(begin: (options: OpenOptions) => Promise<void>): FirstRunModel {
  const restoring = signal(false);
  const name = signal("");
  const phrase = signal("");
  const backup = signal<{ readonly name: string; readonly bytes: Uint8Array } | undefined>(undefined);
  const problem = signal<string | undefined>(undefined);
  const busy = signal(false);

  const options = (): OpenOptions | string => {
    const tooLong = nameProblem(name.value);
    if (tooLong) return accountProblem(tooLong);
    const named = name.value.trim();
    if (!restoring.value)
      return named === "" ? "Please enter a name, so that others know who is calling." : { name: named };
    const words = phrase.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    if (words.length !== 24) return accountProblem("phrase-length");
    const restore = { phrase: words.join(" "), ...(backup.value ? { backup: backup.value.bytes } : {}) };
    return named === "" ? { restore } : { name: named, restore };
  };

  return {
    restoring,
    name,
    phrase,
    backupName: computed(() => backup.value?.name),
    problem,
    busy,
    setRestoring: (next) => {
      restoring.value = next;
      problem.value = undefined;
    },
    setName: (next) => {
      name.value = next;
      problem.value = undefined;
    },
    setPhrase: (next) => {
      phrase.value = next;
      problem.value = undefined;
    },
    setBackup: async (file) => {
      problem.value = undefined;
      backup.value = undefined;
      if (file === undefined) return;
      if (file.size > MAX_BACKUP_BYTES) problem.value = accountProblem("backup-malformed");
      else backup.value = { name: file.name, bytes: await file.read() };
    },
    submit: async () => {
      if (busy.value) return;
      const chosen = options();
      if (typeof chosen === "string") {
        problem.value = chosen;
        return;
      }
      busy.value = true;
      try {
        await begin(chosen);
        phrase.value = "";
      } catch (error) {
        problem.value = accountProblem(codeOf(error), error instanceof Error ? error.message : undefined);
      } finally {
        busy.value = false;
      }
    },
  };
}
