/** Small parts that several views share. */
import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef } from "preact/hooks";
import { Icon, type IconName } from "./icons.tsx";

const AVATAR_HUES = 6;

/** A contact's initial on a colour that follows from the id, so that equal names still look different. */
export function Avatar({ id, name, size }: { readonly id: string; readonly name: string; readonly size: "s" | "l" }) {
  let sum = 0;
  for (const char of id) sum = (sum * 31 + char.charCodeAt(0)) % 9973;
  return (
    <span class={`avatar avatar-${size} hue-${sum % AVATAR_HUES}`} aria-hidden="true">
      {initialOf(name)}
    </span>
  );
}

/** The first letter as a reader sees it: an accented letter or an emoji is one. */
function initialOf(name: string): string {
  const [first] = new Intl.Segmenter().segment(name.trim());
  return first?.segment.toLocaleUpperCase() ?? "?";
}

export interface ButtonProps {
  readonly kind?: "primary" | "plain" | "quiet" | "danger" | "go";
  readonly icon?: IconName;
  readonly testId?: string;
  readonly disabled?: boolean;
  /** Does nothing for now, but keeps the focus: a keyboard's place is not lost while something is under way. */
  readonly busy?: boolean;
  readonly type?: "button" | "submit";
  readonly onClick?: () => unknown;
  readonly label?: string;
  readonly children?: ComponentChildren;
}

/** A button with words; with `label` and no children, an icon alone that screen readers read as `label`. */
export function Button({
  kind = "plain",
  icon,
  testId,
  disabled,
  busy = false,
  type = "button",
  onClick,
  label,
  children,
}: ButtonProps) {
  const iconOnly = children === undefined;
  return (
    <button
      type={type}
      class={`button button-${kind} ${iconOnly ? "button-icon" : ""}`}
      data-testid={testId}
      disabled={disabled}
      aria-disabled={busy || undefined}
      aria-label={label}
      title={iconOnly ? label : undefined}
      onClick={(event) => {
        if (busy) event.preventDefault();
        else void onClick?.();
      }}
    >
      {icon && <Icon name={icon} />}
      {children !== undefined && <span>{children}</span>}
    </button>
  );
}

/** Something that went wrong and what to do; read out at once. */
export function Problem({ text, testId }: { readonly text: string | undefined; readonly testId?: string }) {
  return (
    <div class="problem-slot" role="alert" data-testid={testId}>
      {text && (
        <p class="problem">
          <Icon name="warning" />
          <span>{text}</span>
        </p>
      )}
    </div>
  );
}

export interface DialogProps {
  readonly title: string;
  readonly testId: string;
  readonly onClose: () => void;
  /** For more than a form. */
  readonly wide?: boolean;
  readonly children: ComponentChildren;
}

/** A modal dialog: the rest of the page is inert, Escape closes it, and the focus goes back where it came from. */
export function Dialog({ title, testId, onClose, wide, children }: DialogProps) {
  const ref = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useModal(ref);
  return (
    <dialog
      ref={ref}
      class={wide ? "dialog dialog-wide" : "dialog"}
      aria-labelledby={titleId}
      data-testid={testId}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      // A browser may close it without asking (a second Escape): the model hears of it all the same.
      onClose={onClose}
    >
      <header class="dialog-head">
        <h2 id={titleId} tabIndex={-1}>
          {title}
        </h2>
        <Button kind="quiet" icon="close" label="Close" testId={`${testId}-close`} onClick={onClose} />
      </header>
      <div class="dialog-body">{children}</div>
    </dialog>
  );
}

/** Shows a `<dialog>` as modal while mounted, and gives the focus back afterwards. */
export function useModal(ref: { readonly current: HTMLDialogElement | null }): void {
  useLayoutEffect(() => {
    const before = document.activeElement;
    ref.current?.showModal();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
}
