/** `earshot answer`: waits for a call and takes it. */
import { EarshotError } from "@earshot/core";
import type { Call, CallMedia, Client } from "@earshot/sdk";
import { type CallOptions, parseSeconds } from "../call-options.ts";
import type { ExitCode } from "../exit-codes.ts";
import { holdCall } from "../hold-call.ts";
import { goOnline } from "../session.ts";
import type { Terminal } from "../terminal.ts";

export interface AnswerOptions extends CallOptions {
  /** Give up when nobody has called within so many seconds. */
  readonly wait?: string;
}

/** Takes the next call that rings; gives the exit code once it has ended. */
export async function answerCall(options: AnswerOptions, terminal: Terminal): Promise<ExitCode> {
  const waitMs = options.wait === undefined ? undefined : 1000 * parseSeconds("--wait", options.wait);
  return holdCall(options, terminal, async ({ session, media, interrupted }) => {
    await goOnline(session, terminal);
    terminal.emit({ event: "waiting", id: session.client.id });
    terminal.say(`Waiting for a call to ${session.client.name}; Ctrl-C ends it.`);
    return Promise.race([takeCall(session.client, media, waitMs), interrupted]);
  });
}

/** Answers the next call that rings here, or rings already. Throws `nobody-called` after `waitMs`. */
function takeCall(client: Client, media: CallMedia, waitMs: number | undefined): Promise<Call> {
  return new Promise((resolve, reject) => {
    const timer =
      waitMs === undefined
        ? undefined
        : setTimeout(
            () => reject(new EarshotError("nobody-called", `Nobody called within ${waitMs / 1000} s.`)),
            waitMs,
          );
    const take = (call: Call): void => {
      if (call.direction !== "incoming" || call.phase !== "ringing") return;
      call.answer(media).then(
        () => {
          clearTimeout(timer);
          stop();
          resolve(call);
        },
        () => undefined, // called off at the same moment: the next one
      );
    };
    const stop = client.on("incoming", take);
    for (const call of client.calls()) take(call);
  });
}
