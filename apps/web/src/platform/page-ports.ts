/** The small ports that a page has at hand. */
import type { ClipboardPort, ClockPort, DownloadPort } from "../view-models/ports.ts";

export const pageClock: ClockPort = {
  now: () => Date.now(),
  setTimer: (delayMs, fire) => {
    const timer = setTimeout(fire, delayMs);
    return () => clearTimeout(timer);
  },
};

export const pageClipboard: ClipboardPort = {
  copy: (text) =>
    navigator.clipboard
      ? navigator.clipboard.writeText(text).then(
          () => true,
          () => false,
        )
      : Promise.resolve(false),
};

export const pageDownload: DownloadPort = {
  save: (fileName, bytes) => {
    const url = URL.createObjectURL(new Blob([bytes as Uint8Array<ArrayBuffer>], { type: "application/octet-stream" }));
    const link = document.createElement("a");
    link.href = url;
    link.download = fileName;
    link.click();
    URL.revokeObjectURL(url);
  },
};
