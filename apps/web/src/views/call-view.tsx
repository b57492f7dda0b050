/** The call screen: the other person, the words, the path, the controls. */
import { useEffect, useRef } from "preact/hooks";
import type { CallModel } from "../view-models/call.ts";
import { endText } from "../view-models/end-words.ts";
import type { HomeModel } from "../view-models/home.ts";
import { CallFacts, PathBadge } from "./call-facts.tsx";
import { LowDataNote, QualityAdvice, QualityBadge, QualitySummary } from "./call-quality.tsx";
import { Icon, type IconName } from "./icons.tsx";
import { noticeText } from "./notice-list.tsx";
import { Avatar, Button, Problem } from "./parts.tsx";
import { LocalVideo, RemoteAudio, RemoteVideo } from "./track-sink.tsx";

interface Props {
  readonly call: CallModel;
  readonly home: HomeModel;
}

/** A call from the first ring to its end. */
export function CallView({ call, home }: Props) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  const ended = call.phase.value === "ended" ? endText(call.endReason.value, call.direction, call.name) : undefined;
  const picture = call.remoteVideo.value !== null;
  const rings = call.phase.value === "dialling" || call.phase.value === "ringing";
  return (
    <main
      class={`call ${rings || ended ? "call-plain" : ""}`}
      data-testid="call"
      data-picture={picture && !ended ? "yes" : "no"}
    >
      <div class="stage">
        <RemoteVideo track={ended ? null : call.remoteVideo.value} name={call.name} />
        <div class="call-who">
          <span class={`call-avatar call-avatar-${call.phase.value}`}>
            <Avatar id={call.contactId} name={call.name} size="l" />
          </span>
          <h1 ref={heading} tabIndex={-1}>
            {call.name}
          </h1>
          <p class="call-status" data-testid="call-phase" data-phase={call.phase.value}>
            {call.status.value}
          </p>
          <div class="call-badges">
            <QualityBadge call={call} />
            <PathBadge call={call} />
          </div>
          {call.peerMuted.value && <p class="call-hint">{call.name} is muted</p>}
        </div>
        <LocalVideo track={ended ? null : call.localVideo.value} />
        <RemoteAudio track={call.remoteAudio.value} />
      </div>
      <p class="visually-hidden" role="status">
        {call.announcement.value}
      </p>
      <aside class="call-side" aria-label="About this call">
        <PeerNotices call={call} home={home} />
        <Problem text={call.problem.value} testId="call-problem" />
        {!ended && <QualityAdvice call={call} />}
        {!ended && <LowDataNote call={call} />}
        {ended ? <Ended call={call} home={home} {...ended} /> : <CallFacts call={call} />}
      </aside>
      {!ended && <Controls call={call} />}
    </main>
  );
}

/** A new device or a broken attempt must not wait until the call is over. */
function PeerNotices({ call, home }: Props) {
  const notices = home.notices.list.value.filter(
    (notice) => notice.contactId === call.contactId && !["missed", "relay-needed"].includes(notice.kind),
  );
  return (
    <div role="status">
      {notices.slice(0, 2).map((notice) => (
        <p key={notice.key} class="call-notice" data-testid={`call-notice-${notice.kind}`}>
          <Icon name={notice.kind === "broken-attempt" ? "warning" : "device"} />
          <span>{noticeText(notice.kind, call.name, true)}</span>
        </p>
      ))}
    </div>
  );
}

function Controls({ call }: { readonly call: CallModel }) {
  const muted = call.muted.value;
  const camera = call.localVideo.value !== null;
  return (
    <footer class="controls" role="group" aria-label="Call controls">
      <Control
        testId="mute"
        icon={muted ? "micOff" : "mic"}
        label={muted ? "Unmute" : "Mute"}
        pressed={muted}
        onClick={call.toggleMute}
      />
      <Control
        testId="camera"
        icon={camera ? "camera" : "cameraOff"}
        label={camera ? "Camera off" : "Camera on"}
        pressed={camera}
        disabled={call.cameraBusy.value}
        onClick={call.toggleCamera}
      />
      <Control testId="hang-up" icon="hangUp" label="Hang up" danger onClick={call.hangUp} />
    </footer>
  );
}

interface ControlProps {
  readonly testId: string;
  readonly icon: IconName;
  readonly label: string;
  readonly pressed?: boolean;
  readonly disabled?: boolean;
  readonly danger?: boolean;
  readonly onClick: () => unknown;
}

function Control({ testId, icon, label, pressed, disabled, danger, onClick }: ControlProps) {
  return (
    <button
      type="button"
      class={`control ${danger ? "control-danger" : ""}`}
      data-testid={testId}
      data-on={pressed}
      disabled={disabled}
      onClick={() => void onClick()}
    >
      <span class="control-disc">
        <Icon name={icon} />
      </span>
      <span>{label}</span>
    </button>
  );
}

function Ended(props: Props & { readonly text: string; readonly alarming: boolean }) {
  const { call, home } = props;
  const again = home.contacts.list.value.find(
    (contact) => contact.id === call.contactId && contact.state === "contact",
  );
  return (
    <section class={`call-card ${props.alarming ? "call-alarm" : ""}`} data-testid="call-ended">
      <p role={props.alarming ? "alert" : "status"}>{props.text}</p>
      <div class="row">
        <Button
          kind="primary"
          testId="call-close"
          onClick={() => {
            home.contacts.select(call.contactId);
            home.calls.close();
          }}
        >
          Close
        </Button>
        {again && (
          <Button
            testId="call-again"
            icon="phone"
            onClick={() => home.calls.start(again, call.withVideo && !call.lowData)}
          >
            Call again
          </Button>
        )}
      </div>
      <QualitySummary call={call} />
    </section>
  );
}
