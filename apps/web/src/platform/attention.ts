import type { AttentionPort } from "../view-models/ports.ts";

const BLINK_MS = 1000;

/** Blinks the tab's title and asks for the window's focus (which a browser may ignore). */
export function pageAttention(): AttentionPort {
  const calm = document.title;
  let timer: ReturnType<typeof setInterval> | undefined;
  return {
    start: (title) => {
      clearInterval(timer);
      document.title = title;
      timer = setInterval(() => {
        document.title = document.title === title ? calm : title;
      }, BLINK_MS);
      window.focus();
    },
    stop: () => {
      clearInterval(timer);
      document.title = calm;
    },
  };
}
