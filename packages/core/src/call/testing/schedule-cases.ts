/** Virtual time with lanes: what shares a lane stays in order, whatever the rest does. */

export interface Task {
  readonly at: number;
  readonly order: number;
  /** A data channel, one stack, one timer. */
  readonly lane: string;
  readonly run: () => void;
}

export type Schedule = ReturnType<typeof createSchedule>;

export function createSchedule() {
  let now = 1_000_000;
  let order = 0;
  const tasks: Task[] = [];

  function runTask(task: Task): void {
    tasks.splice(tasks.indexOf(task), 1);
    now = Math.max(now, task.at);
    task.run();
  }

  return {
    now: () => now,
    later(delayMs: number, lane: string, run: () => void): Task {
      const task = { at: now + delayMs, order: order++, lane, run };
      tasks.push(task);
      return task;
    },
    cancel(task: Task | undefined): void {
      if (task !== undefined && tasks.includes(task)) tasks.splice(tasks.indexOf(task), 1);
    },
    /** Lets `ms` pass. */
    run(ms: number): void {
      const until = now + ms;
      for (;;) {
        const next = [...tasks].sort((a, b) => a.at - b.at || a.order - b.order)[0];
        if (next === undefined || next.at > until) break;
        runTask(next);
      }
      now = until;
    },
    /** Does one of the waiting things, or lets a timer fire early, as `pick` says; lanes stay in order. */
    runOne(pick: number, timer = false): void {
      const lanes = new Map<string, Task>();
      for (const task of tasks)
        if (task.lane.startsWith("timer") === timer && !lanes.has(task.lane)) lanes.set(task.lane, task);
      const ready = [...lanes.values()];
      const task = ready[pick % Math.max(1, ready.length)];
      if (task !== undefined) runTask(task);
    },
  };
}
