/** How much data calls may use, in the settings. */
interface Props {
  readonly lowData: boolean;
  readonly onChange: (lowData: boolean) => unknown;
}

/** For calls from now on. */
export function DataUse({ lowData, onChange }: Props) {
  return (
    <fieldset class="field lend-hours">
      <legend class="label">Data that calls use</legend>
      <label class="choice choice-line">
        <input
          type="checkbox"
          data-testid="low-data"
          checked={lowData}
          onChange={(event) => void onChange(event.currentTarget.checked)}
        />
        <span>
          Use as little as possible: a plainer voice, hardly anything while you are silent, a small picture if any
        </span>
      </label>
      <p class="soft small">
        The other side is asked for a plain voice too, and for no picture until you ask for theirs. Whoever sees your
        packets can then tell when you speak.
      </p>
    </fieldset>
  );
}
