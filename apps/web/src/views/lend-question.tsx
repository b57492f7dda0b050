/** The question whether one's node may serve others: a card among the contacts, asked once. */
import { useEffect, useState } from "preact/hooks";
import type { HomeModel } from "../view-models/home.ts";
import { createLendQuestion } from "../view-models/lend-question.ts";
import { LendForm, LendMeaning } from "./lend-form.tsx";
import { Button, Dialog } from "./parts.tsx";

/** Nothing while there is nothing to ask. */
export function LendQuestion({ home }: { readonly home: HomeModel }) {
  const [model] = useState(() => createLendQuestion(home.later.node, home.later.clock));
  const [open, setOpen] = useState(false);
  useEffect(() => () => model.dispose(), []);
  const proposed = model.proposed.value;
  if (proposed === undefined) return null;
  const answer = (limits: typeof proposed | undefined) =>
    model.answer(limits).then((taken) => {
      if (taken) setOpen(false);
    });
  return (
    <section class="card" aria-label="Lend your node" data-testid="lend-question">
      <p>
        <strong>Lend your node?</strong> This network is made of people’s own computers. Yours could help others find
        each other, within limits that you set.
      </p>
      <div class="row">
        <Button kind="primary" testId="lend-open" busy={model.busy.value} onClick={() => setOpen(true)}>
          Tell me more
        </Button>
        <Button kind="quiet" testId="lend-not-now" busy={model.busy.value} onClick={() => answer(undefined)}>
          Not now
        </Button>
      </div>
      {open && (
        <Dialog title="Lend your node?" testId="lend-dialog" onClose={() => setOpen(false)}>
          <LendMeaning />
          <LendForm
            limits={proposed}
            busy={model.busy.value}
            problem={model.problem.value}
            yes="Lend my node"
            no="Not now"
            onYes={answer}
            onNo={() => answer(undefined)}
          />
          <p class="hint">You are not asked again. You can change this in the settings, under “Your node”.</p>
        </Dialog>
      )}
    </section>
  );
}
