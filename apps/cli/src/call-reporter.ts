/** Tells a call's course as it happens: sentences for people, one JSON event a line for scripts. */
import type { Call, CallPath, CallQuality, CallStats } from "@earshot/sdk";
import {
  describeEnd,
  describePath,
  describePhase,
  describeQuality,
  describeSummary,
  duration,
} from "./call-phrases.ts";
import type { CallSound } from "./call-options.ts";
import type { CallEnd, ExitCode } from "./exit-codes.ts";
import type { Terminal } from "./terminal.ts";

export interface CallReporter {
  /** Anything readable on the call changed: tells what is new. */
  changed(call: Call): void;
  stats(call: Call, stats: CallStats): void;
  /** `--play`'s sound has been said to its end. */
  played(): void;
  ended(call: Call, end: CallEnd, exitCode: ExitCode): void;
}

/** `sound` is named where the call becomes active and where it ends. */
export function createCallReporter(terminal: Terminal, sound: CallSound): CallReporter {
  const told = { phase: "", words: "", path: "", missing: 0, quality: "good" };
  return {
    changed(call) {
      tellPhase(terminal, told, call, sound);
      tellWords(terminal, told, call);
      if (call.path !== undefined) tellPath(terminal, told, call.path);
      if (call.quality !== undefined && call.phase !== "ended") tellQuality(terminal, told, call, call.quality);
    },
    stats(call, stats) {
      terminal.emit({ event: "stats", ...stats });
      const since = duration(Date.now() - (call.answeredAt ?? call.startedAt));
      const parts = [
        since,
        ...(stats.roundTripMs === undefined ? [] : [`round trip ${milliseconds(stats.roundTripMs)}`]),
      ];
      parts.push(`${percent(stats)} lost`, "Ctrl-C hangs up");
      if (call.phase === "active") terminal.progress(`  ${parts.join("  ·  ")}`);
    },
    played() {
      terminal.emit({ event: "played", file: sound.play?.path });
      terminal.say(terminal.dim(`  ${sound.play?.path} has been played; silence from here.`));
    },
    ended(call, { reason, wasActive }, exitCode) {
      terminal.progress(undefined);
      const recorded =
        sound.record === undefined || sound.record.writer.seconds === 0
          ? undefined
          : { file: sound.record.path, seconds: Math.round(100 * sound.record.writer.seconds) / 100 };
      const talkedMs = (call.endedAt ?? Date.now()) - (call.answeredAt ?? call.startedAt);
      terminal.emit({
        event: "end",
        reason,
        seconds: wasActive ? talkedMs / 1000 : 0,
        ...(call.summary === undefined ? {} : { summary: call.summary }),
        ...(recorded === undefined ? {} : { recorded }),
        exitCode,
      });
      terminal.say(describeEnd(call, reason, wasActive ? talkedMs : undefined));
      const figures = call.summary && describeSummary(call.summary);
      if (figures !== undefined) terminal.say(terminal.dim(`  ${figures}`));
      if (recorded !== undefined) terminal.say(terminal.dim(`  Recorded ${recorded.seconds} s to ${recorded.file}.`));
    },
  };
}

interface Told {
  phase: string;
  words: string;
  path: string;
  missing: number;
  quality: string;
}

function tellPhase(terminal: Terminal, told: Told, call: Call, sound: CallSound): void {
  if (call.phase === told.phase) return;
  told.phase = call.phase;
  terminal.emit({
    event: "phase",
    phase: call.phase,
    callId: call.callId,
    direction: call.direction,
    peer: { id: call.peer.id, name: call.peer.name },
  });
  const text = describePhase(call);
  if (text !== undefined) terminal.say(call.phase === "active" ? terminal.good(text) : text);
  if (call.phase !== "active") return;
  if (sound.play !== undefined)
    terminal.say(terminal.dim(`  Playing ${sound.play.path}${sound.play.loop ? " over and over" : ""}.`));
  if (sound.record !== undefined) terminal.say(terminal.dim(`  Recording to ${sound.record.path}.`));
}

function tellWords(terminal: Terminal, told: Told, call: Call): void {
  const words = call.words?.join(" ") ?? "";
  if (words === "" || words === told.words) return;
  told.words = words;
  terminal.emit({ event: "words", words: call.words });
  terminal.say(`  Words: ${terminal.bold(words)}`);
  terminal.say(terminal.dim("  Read them to each other: if both see the same, nobody is in between."));
}

function tellPath(terminal: Terminal, told: Told, path: CallPath): void {
  const { relay, farRelay, directShouldHaveWorked } = path;
  const relays = [relay?.key, relay?.operator, farRelay?.key, farRelay?.operator, directShouldHaveWorked];
  const key = [path.kind, path.protocol, path.localAddress, path.remoteAddress, path.confirmed, ...relays].join();
  if (key !== told.path) {
    told.path = key;
    terminal.emit({ event: "path", ...path });
    terminal.say(`  ${path.kind === "direct" ? "" : terminal.warn("! ")}${describePath(path)}`);
    if (directShouldHaveWorked)
      terminal.say(terminal.warn("  ! A direct path works too, and is not used. Calling again may help."));
  }
  if (path.missingCandidates === told.missing) return;
  told.missing = path.missingCandidates;
  if (told.missing > 0)
    terminal.say(
      terminal.warn(
        `  ! ${told.missing} of the addresses that were sent did not arrive: someone on the way may have removed them.`,
      ),
    );
}

function tellQuality(terminal: Terminal, told: Told, call: Call, quality: CallQuality): void {
  const { verdict, side, problem } = quality;
  const key = problem === null ? verdict : [verdict, side, problem].join();
  if (key === told.quality) return;
  told.quality = key;
  terminal.emit({ event: "quality", verdict, side, problem });
  const text = describeQuality(quality, call.peer.name);
  terminal.say(problem === null ? `  ${text}` : terminal.warn(`  ! ${text}`));
}

function milliseconds(ms: number): string {
  return ms < 1 ? "< 1 ms" : `${Math.round(ms)} ms`;
}

function percent({ packetsLost, packetsReceived }: CallStats): string {
  const packets = packetsLost + packetsReceived;
  return packets === 0 ? "0 %" : `${((100 * packetsLost) / packets).toFixed(1)} %`;
}
