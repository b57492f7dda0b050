/** The system's time. Timers do not keep the process alive: the listeners do. */
import type { Clock } from "@earshot/core";

export const systemClock: Clock = {
  now: () => Date.now(),
  setTimer(delayMs, fire) {
    const timer = setTimeout(fire, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
