/** Views that are fetched once the contact list is on, so that ringing does not wait for them. */
import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import type * as LaterViews from "./later-views.ts";

/** Until the next try; the node that they are fetched from may be restarting. */
const RETRY_MS = 2000;

const views = signal<typeof LaterViews | undefined>(undefined);
const failed = signal(false);
let loading: Promise<void> | undefined;

/** Fetches them unless they are there, and tries until they are. */
export function fetchLaterViews(): void {
  loading ??= import("./later-views.ts").then(
    (loaded) => {
      views.value = loaded;
      failed.value = false;
    },
    () => {
      failed.value = true;
      loading = undefined;
      setTimeout(fetchLaterViews, RETRY_MS);
    },
  );
}

export interface LaterProps {
  readonly children: (views: typeof LaterViews) => ComponentChildren;
  /** Stands there until then; `problem` once fetching has failed. */
  readonly meanwhile: (problem: string | undefined) => ComponentChildren;
}

/** One of them, or what stands in for it. */
export function Later({ children, meanwhile }: LaterProps) {
  if (views.value) return <>{children(views.value)}</>;
  fetchLaterViews();
  return (
    <>
      {meanwhile(
        failed.value
          ? "This part of Earshot could not be loaded. Is your node running? It is tried again by itself; if that does not help, load this page anew."
          : undefined,
      )}
    </>
  );
}
