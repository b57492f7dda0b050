import type { Client, ClientStatus } from "@earshot/sdk";
import { expect, test } from "vitest";
import { tellNotices } from "./notices.ts";
import { openTerminal } from "./terminal.ts";

test("a clock that is too far off is told once, with what to do, and again when it is right", () => {
  let out = "";
  const stream = { write: (text: string) => ((out += text), true) };
  const terminal = openTerminal({ stdout: stream, stderr: stream, env: {} }, false);
  let look = (_: ClientStatus): void => undefined;
  const client = {
    status: { state: "offline" } as ClientStatus,
    requests: () => [],
    on: (event: string, listener: typeof look) => {
      const before = look;
      if (event === "status") look = (status) => (before(status), listener(status));
      return () => undefined;
    },
  };
  tellNotices(client as unknown as Client, terminal);
  const become = (status: ClientStatus): void => {
    client.status = status;
    look(status);
  };
  become({ state: "online", problem: "clock-wrong" });
  become({ state: "offline", problem: "clock-wrong" });
  become({ state: "online", problem: "clock-wrong" });
  expect(out.match(/Set this one's date and time/g)).toHaveLength(1);
  become({ state: "online" });
  expect(out).toContain("The clock is right again");
});
