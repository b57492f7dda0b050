import { useLayoutEffect, useRef } from "preact/hooks";
import type { IncomingModel } from "../view-models/incoming.ts";
import { Avatar, Button, Problem, useModal } from "./parts.tsx";

/**
 * The ring. The focus goes to the dialog, not to a button: a space typed into a message at that moment must not answer.
 * Escape does nothing, so that a call is neither declined nor lost by habit.
 */
export function IncomingDialog({ model }: { readonly model: IncomingModel }) {
  const ref = useRef<HTMLDialogElement>(null);
  useModal(ref);
  // In the same turn as it is shown: a dialog's own choice of focus would be its first button.
  useLayoutEffect(() => ref.current?.focus(), []);
  // Browsers that don't know `closedby` let a second Escape through: while it rings, the dialog comes back.
  const reopen = () => {
    ref.current?.showModal();
    ref.current?.focus();
  };
  const kind = model.wantsVideo ? "Incoming video call" : "Incoming voice call";
  return (
    <dialog
      ref={ref}
      class="dialog incoming"
      role="alertdialog"
      aria-labelledby="incoming-name"
      aria-describedby="incoming-kind"
      tabIndex={-1}
      data-testid="incoming"
      closedby="none"
      onCancel={(event) => event.preventDefault()}
      onClose={reopen}
    >
      <div class="incoming-pulse">
        <Avatar id={model.contactId} name={model.name} size="l" />
      </div>
      <h2 id="incoming-name">{model.name}</h2>
      <p id="incoming-kind">{kind}</p>
      {model.nameChanged && (
        <p class="problem" data-testid="incoming-name-changed">
          The key behind their name has changed. This call comes from the key that you know.
        </p>
      )}
      <Problem text={model.problem.value} testId="incoming-problem" />
      <div class="incoming-actions">
        <Button kind="danger" icon="hangUp" testId="incoming-decline" onClick={() => model.decline()}>
          Decline
        </Button>
        <Button
          kind={model.offersVideo ? "plain" : "go"}
          icon="phone"
          testId="incoming-answer-voice"
          disabled={model.busy.value}
          onClick={() => model.answer(false)}
        >
          Voice
        </Button>
        <Button
          kind={model.offersVideo ? "go" : "plain"}
          icon="camera"
          testId="incoming-answer-video"
          disabled={model.busy.value}
          onClick={() => model.answer(true)}
        >
          Video
        </Button>
      </div>
      <p class="small soft">Your microphone stays off until you answer.</p>
    </dialog>
  );
}
