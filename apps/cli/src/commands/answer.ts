/** `earshot answer`: waits for a call and takes it. */
import { EarshotError } from "@earshot/core";
import type { Call, CallMedia, Client } from "@earshot/sdk";
import { type CallOptions, openCallSound, parseSeconds } from "../call-options.ts";
import { createCallReporter } from "../call-reporter.ts";
import { runCall } from "../call-runner.ts";
import { type ExitCode, exitCodeOfEnd } from "../exit-codes.ts";
import { catchInterrupts } from "../interrupt.ts";
import { tellNotices } from "../notices.ts";
import { goOnline, openSession } from "../session.ts";
import type { Terminal } from "../terminal.ts";
import { loadWebRtc } from "../webrtc.ts";

export interface AnswerOptions extends CallOptions {
  /** Give up when nobody has called within so many seconds. */
  readonly wait?: string;
}

/** Takes the next call that rings; gives the exit code once it has ended. */
export async function answerCall(options: AnswerOptions, terminal: Terminal): Promise<ExitCode> {
  const waitMs = options.wait === undefined ? undefined : 1000 * parseSeconds("--wait", options.wait);
  const sound = await openCallSound(options, terminal);
  const interrupt = catchInterrupts();
  const webRtc = await loadWebRtc();
  const session = await openSession(options);
  const voice = webRtc.createVoice();
  const stopNotices = tellNotices(session.client, terminal);
  try {
    await goOnline(session, terminal);
    terminal.emit({ event: "waiting", id: session.client.id });
    terminal.say(`Waiting for a call to ${session.client.name}; Ctrl-C ends it.`);
    const call = await Promise.race([takeCall(session.client, { audio: voice.track }, waitMs), interrupt.interrupted]);
    const reporter = createCallReporter(terminal, sound);
    const end = await runCall(call, { webRtc, voice, sound, reporter, interrupt });
    const exitCode = exitCodeOfEnd(end);
    reporter.ended(call, end, exitCode);
    return exitCode;
  } finally {
    stopNotices();
    terminal.progress(undefined);
    voice.stop();
    sound.record?.writer.close();
    await session.close();
  }
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
