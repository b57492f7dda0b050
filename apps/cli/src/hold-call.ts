/** What `call` and `answer` share: a line is opened, a call comes about on it, is seen through, and everything is closed again. */
import type { Call, CallMedia } from "@earshot/sdk";
import { type CallOptions, callSettingsOf, openCallSound } from "./call-options.ts";
import { createCallReporter } from "./call-reporter.ts";
import { runCall } from "./call-runner.ts";
import { type ExitCode, exitCodeOfEnd } from "./exit-codes.ts";
import { catchInterrupts, type Interrupt } from "./interrupt.ts";
import { tellNotices } from "./notices.ts";
import { openSession, type Session } from "./session.ts";
import type { Terminal } from "./terminal.ts";
import { loadWebRtc } from "./webrtc.ts";

/** What a call can be made or taken with. */
export interface Line {
  readonly session: Session;
  /** The voice that is sent. */
  readonly media: CallMedia;
  /** Rejects at Ctrl-C: race whatever waits against it. */
  readonly interrupted: Interrupt["interrupted"];
}

/** Gives the exit code once the call that `connect` made or took has ended. What `connect` throws passes through. */
export async function holdCall(
  options: CallOptions,
  terminal: Terminal,
  connect: (line: Line) => Promise<Call>,
): Promise<ExitCode> {
  const callSettings = callSettingsOf(options);
  const sound = await openCallSound(options, terminal);
  const interrupt = catchInterrupts();
  const webRtc = await loadWebRtc();
  const session = await openSession(options, { callSettings });
  const voice = webRtc.createVoice();
  const stopNotices = tellNotices(session.client, terminal);
  try {
    const call = await connect({ session, media: { audio: voice.track }, interrupted: interrupt.interrupted });
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
