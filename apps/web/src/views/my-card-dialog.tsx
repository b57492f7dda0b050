import { useRef } from "preact/hooks";
import type { MyCardModel } from "../view-models/my-card.ts";
import { Button, Dialog, Problem } from "./parts.tsx";
import { QrCode } from "./qr-code.tsx";

/** The own card as QR code and as text to send. */
export function MyCardDialog({ model, onClose }: { readonly model: MyCardModel; readonly onClose: () => void }) {
  const text = useRef<HTMLTextAreaElement>(null);
  const card = model.card.value;
  const copied = model.copied.value;
  return (
    <Dialog title="Your card" testId="my-card-dialog" onClose={onClose}>
      <p>Send this to somebody who should be able to call you. Any messenger or e-mail will do: it holds no secrets.</p>
      <QrCode text={card} label="Your card as a QR code" />
      <label class="field">
        <span class="label">As text</span>
        <textarea
          ref={text}
          class="mono small"
          data-testid="my-card"
          rows={4}
          readOnly
          value={card}
          onFocus={() => text.current?.select()}
        />
      </label>
      <Problem
        text={
          copied === "refused"
            ? "The browser did not allow copying. Select the text above and copy it yourself."
            : undefined
        }
      />
      <div class="row row-end">
        <Button
          kind="primary"
          icon={copied === "done" ? "check" : "copy"}
          testId="copy-card"
          onClick={() => model.copy()}
        >
          {copied === "done" ? "Copied" : "Copy"}
        </Button>
      </div>
      <p class="visually-hidden" role="status">
        {copied === "done" ? "Card copied" : ""}
      </p>
    </Dialog>
  );
}
