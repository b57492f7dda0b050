/** `earshot answer`: waits for a call and takes it. */
import { EarshotError } from "@earshot/core";
import type { Call, Client } from "@earshot/sdk";
import { type CallOptions, openCallSound, parseSeconds } from "../call-options.ts";
import { createCallReporter } from "../call-reporter.ts";
import { runCall } from "../call-runner.ts";
import { type ExitCode, exitCodeOfEnd } from "../exit-codes.ts";
import { catchInterrupts } from "../interrupt.ts";
import { tellNotices } from "../notices.ts";
import { connectSession } from "../session.ts";
import type { Terminal } from "../terminal.ts";
import { loadWebRtc } from "../webrtc.ts";

export interface AnswerOptions extends CallOptions {
  /** Give up when nobody has called within so many seconds. */
  readonly wait?: string;
}

/** Takes the next call that rings; gives the exit code once it has ended. */
export async function answerCall(options: AnswerOptions, terminal: Terminal): Promise<ExitCode> {
  const waitMs = options.wait === undefined ? undefined : 1000 * parseSeconds("--wait", options.wait);
  const sound = await openCallSound(options);
  const interrupt = catchInterrupts();
  const webRtc = await loadWebRtc();
  const session = await connectSession(options, terminal);
  const voice = webRtc.createVoice();
  try {
    tellNotices(session.client, terminal);
    terminal.emit({ event: "waiting", id: session.client.id });
    terminal.say(`Waiting for a call to ${session.client.name}; Ctrl-C ends it.`);
    const call = await Promise.race([nextCall(session.client, waitMs), interrupt.interrupted]);
    const reporter = createCallReporter(terminal, sound);
    reporter.changed(call);
    await call.answer({ audio: voice.track });
    const run = await runCall(call, { webRtc, voice, sound, reporter, interrupt });
    const exitCode = exitCodeOfEnd(run.reason, run.wasActive);
    reporter.ended(call, run, exitCode);
    return exitCode;
  } finally {
    terminal.progress(undefined);
    voice.stop();
    sound.record?.writer.close();
    await session.close();
  }
}

function nextCall(client: Client, waitMs: number | undefined): Promise<Call> {
  return new Promise((resolve, reject) => {
    const ringing = client.calls().find((call) => call.direction === "incoming" && call.phase === "ringing");
    if (ringing !== undefined) return resolve(ringing);
    const timer =
      waitMs === undefined
        ? undefined
        : setTimeout(
            () => reject(new EarshotError("nobody-called", `Nobody called within ${waitMs / 1000} s.`)),
            waitMs,
          );
    client.on("incoming", (call) => {
      clearTimeout(timer);
      resolve(call);
    });
  });
}
