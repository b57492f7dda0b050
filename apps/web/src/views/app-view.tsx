import type { AppModel } from "../view-models/app.ts";
import { BlockedView, FailedView } from "./blocked-view.tsx";
import { FirstRunView } from "./first-run-view.tsx";
import { HomeView } from "./home-view.tsx";
import { Mark } from "./icons.tsx";

/** Whichever screen the model says. */
export function AppView({ model }: { readonly model: AppModel }) {
  const screen = model.screen.value;
  switch (screen.kind) {
    case "starting":
      return (
        <main class="centre" aria-busy="true">
          <Mark />
          <p class="soft">Starting Earshot…</p>
        </main>
      );
    case "blocked":
      return <BlockedView obstacle={screen.obstacle} onRetry={(takeOver) => void model.start(takeOver)} />;
    case "failed":
      return <FailedView code={screen.code} onRetry={() => void model.start()} />;
    case "first-run":
      return <FirstRunView model={screen.model} hosted={screen.hosted} />;
    case "home":
      return <HomeView model={screen.model} />;
  }
}
