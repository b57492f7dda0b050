/** Strangers who ask to be contacts. They never ring; they wait here. */
import type { Client, ContactRequest } from "@earshot/sdk";
import { type ReadonlySignal, signal } from "@preact/signals";
import { codeOf } from "./plain-words.ts";

export interface RequestsModel {
  readonly list: ReadonlySignal<readonly ContactRequest[]>;
  /** The id that is being accepted or declined. */
  readonly busy: ReadonlySignal<string | undefined>;
  readonly problem: ReadonlySignal<string | undefined>;
  accept(id: string): Promise<void>;
  decline(id: string): Promise<void>;
  dispose(): void;
}

/** Follows `client.requests()`. */
export function createRequestsModel(client: Client): RequestsModel {
  const list = signal(client.requests());
  const busy = signal<string | undefined>(undefined);
  const problem = signal<string | undefined>(undefined);
  const unsubscribe = client.on("requests", (requests) => {
    list.value = requests;
  });

  const attempt = async (id: string, act: () => Promise<unknown>) => {
    if (busy.value !== undefined) return;
    busy.value = id;
    problem.value = undefined;
    try {
      await act();
    } catch (error) {
      const code = codeOf(error);
      problem.value =
        code === "offline" ? "You are offline. Try again once connected." : `That did not work (${code}).`;
    } finally {
      busy.value = undefined;
    }
  };

  return {
    list,
    busy,
    problem,
    accept: (id) => attempt(id, () => client.acceptRequest(id)),
    decline: (id) => attempt(id, () => client.declineRequest(id)),
    dispose: unsubscribe,
  };
}
