/** Adding a contact by a pasted card, link or id, or by a name at a domain. What is wrong with it is said while it is typed. */
import type { Client } from "@earshot/sdk";
import { computed, type ReadonlySignal, signal } from "@preact/signals";
import { cardProblem, codeOf } from "./plain-words.ts";
import type { CardCheck } from "./ports.ts";

/** Longer than any card is; a paste beyond it is cut before it is parsed. */
const MAX_INPUT_CHARS = 4096;
/** Below this many characters somebody is still typing and is not told off yet. */
const MIN_JUDGED_CHARS = 10;

export interface AddContactModel {
  readonly text: ReadonlySignal<string>;
  /** Set once the text is a card or id that can be added. */
  readonly found: ReadonlySignal<{ readonly id: string; readonly name: string } | undefined>;
  /** The text is a name at a domain, which the own node looks up when it is added. */
  readonly address: ReadonlySignal<string | undefined>;
  readonly problem: ReadonlySignal<string | undefined>;
  readonly busy: ReadonlySignal<boolean>;
  setText(text: string): void;
  /** The contact's id once added; undefined when it was refused (see `problem`). */
  submit(): Promise<string | undefined>;
}

/** `name@domain` as a person types it; the node judges it strictly. */
const ADDRESS = /^[^\s@:]{1,64}@[^\s@:]+\.[^\s@:.]{2,}$/;

/** `client` for what is already there and for adding; `checkCard` to judge the text. */
export function createAddContactModel(client: Client, checkCard: (text: string) => CardCheck): AddContactModel {
  const text = signal("");
  const busy = signal(false);
  const failure = signal<string | undefined>(undefined);

  const address = computed(() => {
    const typed = text.value.trim();
    return ADDRESS.test(typed) ? typed : undefined;
  });
  const verdict = computed<CardCheck | undefined>(() => {
    const typed = text.value.trim();
    if (typed === "") return undefined;
    const check = checkCard(typed);
    if (!check.ok) return check;
    if (check.id === client.id) return { ok: false, code: "own-card" };
    if (client.contacts().some((contact) => contact.id === check.id)) return { ok: false, code: "already-added" };
    return check;
  });

  const problem = computed(() => {
    if (failure.value !== undefined) return failure.value;
    const check = verdict.value;
    if (address.value !== undefined || check === undefined || check.ok || text.value.trim().length < MIN_JUDGED_CHARS)
      return undefined;
    return cardProblem(check.code, check.detail);
  });

  return {
    text,
    found: computed(() => (verdict.value?.ok ? verdict.value : undefined)),
    address,
    problem,
    busy,
    setText: (next) => {
      text.value = next.slice(0, MAX_INPUT_CHARS);
      failure.value = undefined;
    },
    submit: async () => {
      if (busy.value) return undefined;
      const check = verdict.value;
      if (check === undefined) {
        failure.value = "Paste a card, a link or an id first, or type a name such as grace@example.org.";
        return undefined;
      }
      if (!check.ok && address.value === undefined) {
        failure.value = cardProblem(check.code, check.detail);
        return undefined;
      }
      busy.value = true;
      try {
        const contact = await client.addContact(text.value.trim());
        text.value = "";
        return contact.id;
      } catch (error) {
        failure.value = cardProblem(codeOf(error));
        return undefined;
      } finally {
        busy.value = false;
      }
    },
  };
}
