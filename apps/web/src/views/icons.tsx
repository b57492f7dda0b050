/** The app's icons, drawn for it: 24 by 24, stroked in the text's colour. Decoration only; the words beside them speak. */

const PATHS = {
  phone:
    "M5.5 3.5h3l1.7 4.4-2 1.4a12 12 0 0 0 6.5 6.5l1.4-2 4.4 1.7v3a2 2 0 0 1-2.1 2A17 17 0 0 1 3.5 5.6a2 2 0 0 1 2-2.1Z",
  hangUp: "M3 14.5c5-4.7 13-4.7 18 0l-2.4 2.7-3.6-1.7v-2.6a13 13 0 0 0-6 0v2.6l-3.6 1.7L3 14.5Z",
  camera: "M3.5 7.5a2 2 0 0 1 2-2h8a2 2 0 0 1 2 2v9a2 2 0 0 1-2 2h-8a2 2 0 0 1-2-2v-9Zm12 3.5 5-3v8l-5-3",
  cameraOff:
    "M9 5.5h4.500a2 2 0 0 1 2 2V12m0 3.500v1a2 2 0 0 1-2 2h-8a2 2 0 0 1-2-2v-9a2 2 0 0 1 1-1.700M15.500 11l5-3v8l-2.500-1.500M3 3l18 18",
  mic: "M12 3.500a3 3 0 0 1 3 3v5a3 3 0 0 1-6 0v-5a3 3 0 0 1 3-3Zm-6.500 8a6.500 6.500 0 0 0 13 0M12 18v3",
  micOff:
    "M9.200 5.300A3 3 0 0 1 15 6.500v4.800M15 14a3 3 0 0 1-6-2.500V9m-3.500 2.500a6.500 6.500 0 0 0 11 4.700m1.800-2.700c.130-.600.200-1.300.200-2M12 18v3M3 3l18 18",
  plus: "M12 5v14M5 12h14",
  card: "M4 4h6v6H4V4Zm10 0h6v6h-6V4ZM4 14h6v6H4v-6Zm10 0h2v2h-2v-2Zm4 0h2v2h-2v-2Zm-4 4h2v2h-2v-2Zm4 0h2v2h-2v-2Z",
  settings:
    "M4 7h9m4 0h3M4 17h3m4 0h9M15 4.500a2.500 2.500 0 1 1 0 5 2.500 2.500 0 0 1 0-5Zm-6 10a2.500 2.500 0 1 1 0 5 2.500 2.500 0 0 1 0-5Z",
  back: "M15 5l-7 7 7 7",
  close: "M6 6l12 12M18 6L6 18",
  copy: "M9 9h10v11H9V9ZM5 15V4h10",
  direct: "M3 12h18M7 8l-4 4 4 4M17 8l4 4-4 4",
  relay: "M3 17l6-9 6 9 6-9",
  warning: "M12 4l9 16H3L12 4Zm0 6v4.500M12 17v.5",
  device: "M7 3.500h10v17H7v-17Zm4 14.500h2",
  missed: "M4 8l7 7 9-9M4 14V8h6",
  key: "M14.500 4a5.500 5.500 0 1 1-4.700 8.300L4 18v2.500h3V18h2v-2h2l1-1M15.500 8.500v.010",
  check: "M5 12.500l4.500 4.500L19 7.500",
  wait: "M12 4a8 8 0 1 1 0 16a8 8 0 0 1 0-16Zm0 3.500V12l3 2",
  node: "M12 3.500a3 3 0 1 1 0 6a3 3 0 0 1 0-6ZM5.500 15a2.500 2.500 0 1 1 0 5a2.500 2.500 0 0 1 0-5Zm13 0a2.500 2.500 0 1 1 0 5a2.500 2.500 0 0 1 0-5ZM10.500 9.200L6.800 15M13.500 9.200l3.700 5.800",
  person: "M12 4a4 4 0 1 1 0 8 4 4 0 0 1 0-8Zm-7.500 16a7.500 7.500 0 0 1 15 0",
} as const;

export type IconName = keyof typeof PATHS;

/** One icon; hidden from screen readers. */
export function Icon({ name, class: extra }: { readonly name: IconName; readonly class?: string }) {
  return (
    <svg class={`icon ${extra ?? ""}`} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}

/** Earshot's mark: a voice and the ear it reaches, with nothing in between. */
export function Mark() {
  return (
    <svg class="mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect class="mark-ground" x="0" y="0" width="32" height="32" rx="9" />
      <circle class="mark-dot" cx="10" cy="16" r="3.2" />
      <path class="mark-arc" d="M15.500 10.500a8 8 0 0 1 0 11M20 7a13 13 0 0 1 0 18" />
    </svg>
  );
}
