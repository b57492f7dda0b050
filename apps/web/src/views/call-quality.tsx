/** How the call is: bars and words that are always there, and what helps where something is wrong. */
import type { CallModel } from "../view-models/call.ts";
import { lowDataText, pictureHeldText, qualityWords, summaryFile, summaryRows } from "../view-models/quality-words.ts";
import { Icon } from "./icons.tsx";
import { Button } from "./parts.tsx";

const BAR_HEIGHTS = [5, 9, 13, 17];

/** In a few words, beside the person; read out by screen readers when it changes. */
export function QualityBadge({ call }: { readonly call: CallModel }) {
  const quality = call.quality.value;
  const isShown = quality && (call.phase.value === "active" || call.phase.value === "reconnecting");
  const words = isShown ? qualityWords(quality, call.name) : undefined;
  return (
    <p
      class="call-badge call-quality"
      role="status"
      data-testid="call-quality"
      data-verdict={isShown ? quality.verdict : "none"}
    >
      {words && (
        <>
          <Bars count={words.bars} />
          <span>{words.headline}</span>
        </>
      )}
    </p>
  );
}

/** Decoration: the words beside it say the same. */
function Bars({ count }: { readonly count: number }) {
  return (
    <svg class="quality-bars" viewBox="0 0 22 18" aria-hidden="true" focusable="false">
      {BAR_HEIGHTS.map((height, i) => (
        <rect
          key={height}
          class={i < count ? "quality-bar-on" : "quality-bar-off"}
          x={i * 6}
          y={18 - height}
          width="4"
          height={height}
          rx="1"
        />
      ))}
    </svg>
  );
}

/** What the trouble means and what helps. */
export function QualityAdvice({ call }: { readonly call: CallModel }) {
  const quality = call.quality.value;
  const { detail } = quality ? qualityWords(quality, call.name) : {};
  const held = call.pictureHeld.value;
  if (detail === undefined && !held) return null;
  return (
    <section class="call-card" aria-labelledby="quality-title" data-testid="quality-advice">
      <h2 id="quality-title">{detail === undefined ? "Your picture" : "The connection"}</h2>
      {detail && <p class="call-hint">{detail}</p>}
      {held && (
        <p class={held === "for-voice" ? "call-notice" : "call-hint"} data-testid="picture-held">
          {held === "for-voice" && <Icon name="cameraOff" />}
          <span>{pictureHeldText(held, call.name)}</span>
        </p>
      )}
    </section>
  );
}

/** Little data is used: what the other side is asked for, and asking for its picture all the same. */
export function LowDataNote({ call }: { readonly call: CallModel }) {
  const phase = call.phase.value;
  if (!call.lowData || (phase !== "active" && phase !== "reconnecting")) return null;
  const wanted = call.pictureWanted.value;
  return (
    <section class="call-card" aria-labelledby="low-data-title" data-testid="low-data-note">
      <h2 id="low-data-title">This call uses little data</h2>
      <p class="call-hint" role="status">
        {lowDataText(wanted, call.name)}
      </p>
      <div class="row">
        <Button testId="want-picture" onClick={call.togglePicture}>
          {wanted ? "Ask for no picture" : "Ask for the picture"}
        </Button>
      </div>
    </section>
  );
}

/** After the call: what it was like, kept here unless the person saves it. */
export function QualitySummary({ call }: { readonly call: CallModel }) {
  const summary = call.summary.value;
  if (summary === undefined) return null;
  return (
    <details class="quality-summary" data-testid="quality-summary">
      <summary>How the call was</summary>
      <dl class="facts">
        {summaryRows(summary).flatMap(([label, value]) => [
          <dt key={label}>{label}</dt>,
          <dd key={`${label} value`}>{value}</dd>,
        ])}
      </dl>
      <p class="call-hint">
        This stays on your device, and is gone when you close it. The file holds these figures and no names or
        addresses.
      </p>
      <Button testId="save-summary" onClick={() => call.saveFile("earshot-call.json", summaryFile(summary))}>
        Save as a file
      </Button>
    </details>
  );
}
