/** The screen before a call's own is there. */
import type { CallModel } from "../view-models/call.ts";
import { Button, Problem } from "./parts.tsx";

/** While the browser asks for the microphone. */
export function PreparingView({ name, video }: { readonly name: string; readonly video: boolean }) {
  return (
    <main class="call call-plain" aria-busy="true">
      <div class="stage">
        <h1>{name}</h1>
        <p role="status">{video ? "Waiting for your microphone and camera…" : "Waiting for your microphone…"}</p>
        <p class="call-hint">If your browser asks, allow it. Nothing is sent before the other side answers.</p>
      </div>
    </main>
  );
}

/** While the call screen is fetched: whoever is in the call can always leave it. */
export function BareCallView({ call, problem }: { readonly call: CallModel; readonly problem: string | undefined }) {
  return (
    <main class="call call-plain" aria-busy="true">
      <div class="stage">
        <h1>{call.name}</h1>
        <p class="call-status">{call.status.value}</p>
        <Problem text={problem} />
        <Button kind="danger" icon="hangUp" onClick={call.hangUp}>
          Hang up
        </Button>
      </div>
    </main>
  );
}
