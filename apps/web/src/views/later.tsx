/** Views that are fetched once the contact list is on, so that ringing does not wait for them. */
import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import type * as LaterViews from "./later-views.ts";

/** Until the next try; the node that they are fetched from may be restarting. */
const RETRY_MS = 2000;

export interface LaterProps<Module> {
  /** Waits for somebody else to ask for them. */
  readonly idle?: boolean;
  readonly children: (views: Module) => ComponentChildren;
  /** Stands there until then; `problem` once fetching has failed. */
  readonly meanwhile: (problem: string | undefined) => ComponentChildren;
}

/** A module of views behind `load`: `fetch` gets it unless it is there, and tries until it is; `Later` shows it. */
export function laterModule<Module>(load: () => Promise<Module>) {
  const views = signal<Module | undefined>(undefined);
  const failed = signal(false);
  let loading: Promise<void> | undefined;

  const fetch = (): void => {
    loading ??= load().then(
      (loaded) => {
        views.value = loaded;
        failed.value = false;
      },
      () => {
        failed.value = true;
        loading = undefined;
        setTimeout(fetch, RETRY_MS);
      },
    );
  };
  /** One of them, or what stands in for it. */
  const Later = ({ children, meanwhile, idle }: LaterProps<Module>) => {
    if (views.value) return <>{children(views.value)}</>;
    if (!idle) fetch();
    return (
      <>
        {meanwhile(
          failed.value
            ? "This part of Earshot could not be loaded. Is your node running? It is tried again by itself; if that does not help, load this page anew."
            : undefined,
        )}
      </>
    );
  };
  return { fetch, Later };
}

const later = laterModule<typeof LaterViews>(() => import("./later-views.ts"));

/** Fetches what is not needed to be called. */
export const fetchLaterViews = later.fetch;

/** One of those views. */
export const Later = later.Later;
