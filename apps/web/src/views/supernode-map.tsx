/** The supernodes that the node knows: drawn, and as a table with the same in words. */
import type { Neighbour } from "@earshot/core";
import { useMemo, useRef, useState } from "preact/hooks";
import { layOutMap, type MapPoint, type SupernodeMap as Map, tableRows } from "../view-models/supernode-map.ts";

interface Props {
  readonly neighbours: readonly Neighbour[];
  /** Keys of the client's own homes. */
  readonly homes: ReadonlySet<string>;
}

/**
 * The map with its legend, and the table below. What is told of the chosen one is its label: screen readers hear it as the
 * focus moves, and need no live region to say it once more.
 */
export function SupernodeMap({ neighbours, homes }: Props) {
  const map = useMemo(() => layOutMap(neighbours, homes), [neighbours, homes]);
  const [chosen, setChosen] = useState<string | undefined>(undefined);
  const point = map.points.find(({ id }) => id === chosen);
  return (
    <div class="map" data-testid="map">
      {map.points.length > 0 && <Drawing map={map} chosen={point?.id} choose={setChosen} />}
      <p class="map-told" data-testid="map-told">
        {point ? point.label : map.summary}
      </p>
      {map.points.length > 0 && (
        <>
          <Legend />
          <Table neighbours={neighbours} homes={homes} />
        </>
      )}
    </div>
  );
}

interface DrawingProps {
  readonly map: Map;
  readonly chosen: string | undefined;
  readonly choose: (id: string | undefined) => void;
}

const STEPS: Readonly<Record<string, number>> = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

/** One stop for Tab; the arrow keys go around. */
function Drawing({ map, chosen, choose }: DrawingProps) {
  const svg = useRef<SVGSVGElement>(null);
  const { points } = map;
  const at = Math.max(
    0,
    points.findIndex(({ id }) => id === chosen),
  );
  const go = (event: KeyboardEvent) => {
    const step = STEPS[event.key];
    const to =
      event.key === "Home"
        ? 0
        : event.key === "End"
          ? points.length - 1
          : step && (at + step + points.length) % points.length;
    if (to === undefined) return;
    event.preventDefault();
    svg.current?.querySelectorAll<SVGGElement>(".map-point")[to]?.focus();
  };
  return (
    <svg
      ref={svg}
      class="map-drawing"
      viewBox="-108 -100 216 200"
      role="group"
      aria-label="Map of supernodes; the arrow keys go from one to the next"
      onKeyDown={go}
    >
      {map.rings.map(({ radius, label }) => (
        <g key={label} class="map-ring" aria-hidden="true">
          <circle r={radius} />
        </g>
      ))}
      {points.map((point) => point.home && <line key={point.id} class="map-tie" x2={point.x} y2={point.y} />)}
      <g class="map-you" aria-hidden="true">
        <circle r="9" />
        <text y="2.2">you</text>
      </g>
      {map.rings.map(({ radius, label }) => (
        <text key={label} class="map-ring-name" y={-radius - 1.5} aria-hidden="true">
          {label}
        </text>
      ))}
      {points.map((point, index) => (
        <Point key={point.id} point={point} stop={index === at} chosen={point.id === chosen} choose={choose} />
      ))}
    </svg>
  );
}

interface PointProps {
  readonly point: MapPoint;
  /** Tab stops here. */
  readonly stop: boolean;
  readonly chosen: boolean;
  readonly choose: (id: string | undefined) => void;
}

function Point({ point, stop, chosen, choose }: PointProps) {
  const { x, y, radius, kind, count, load, home, measured } = point;
  const kindClass = `map-point ${home ? "map-home" : ""} ${measured ? "" : "map-unmeasured"}`;
  return (
    <g
      class={kindClass}
      transform={`translate(${x} ${y})`}
      role="img"
      tabIndex={stop ? 0 : -1}
      aria-label={point.label}
      data-chosen={chosen}
      onFocus={() => choose(point.id)}
      onBlur={() => choose(undefined)}
      onMouseEnter={() => choose(point.id)}
      onMouseLeave={() => choose(undefined)}
    >
      <g class="map-shape">
        <circle class="map-touch" r="9" />
        <circle class="map-halo" r={radius + 2.6} />
        <Shape kind={kind} radius={radius} part="map-outline" />
        <Shape kind={kind} radius={radius * Math.sqrt(load)} part="map-fill" />
        {count > 1 && (
          <text class="map-count" y="1.9">
            {count}
          </text>
        )}
      </g>
      {home && (
        <text class="map-name" x={x > 20 ? -8 : 8} y={Math.abs(y) < 12 ? 15 : 2} text-anchor={x > 20 ? "end" : "start"}>
          {point.name}
        </text>
      )}
    </g>
  );
}

function Shape({ kind, radius, part }: { readonly kind: string; readonly radius: number; readonly part: string }) {
  if (kind === "promoted") return <circle class={part} r={radius} />;
  const half = radius * 0.92;
  return <rect class={part} x={-half} y={-half} width={2 * half} height={2 * half} rx={half / 4} />;
}

const LEGEND = [
  { words: "Lent by a volunteer (promoted)", kind: "promoted", home: false, load: 0 },
  { words: "Run on a server (dedicated)", kind: "dedicated", home: false, load: 0 },
  { words: "Half full", kind: "promoted", home: false, load: 0.5 },
  { words: "Your home", kind: "promoted", home: true, load: 0 },
] as const;

function Legend() {
  return (
    <ul class="map-legend">
      {LEGEND.map(({ words, kind, home, load }) => (
        <li key={words}>
          <svg viewBox="-8 -8 16 16" aria-hidden="true" focusable="false">
            <g class={`map-point ${home ? "map-home" : ""}`}>
              <circle class="map-halo" r="6.8" />
              <Shape kind={kind} radius={4.2} part="map-outline" />
              <Shape kind={kind} radius={4.2 * Math.sqrt(load)} part="map-fill" />
            </g>
          </svg>
          {words}
        </li>
      ))}
      <li>Farther out: a longer round trip. Side by side: the same operator or network.</li>
    </ul>
  );
}

function Table({ neighbours, homes }: Props) {
  const rows = tableRows(neighbours, homes);
  return (
    <details class="map-table">
      <summary data-testid="map-table">The same as a table</summary>
      <div class="scroll" role="region" aria-label="Supernodes" tabIndex={0}>
        <table>
          <thead>
            <tr>
              {["Operator", "Kind", "Network", "Round trip", "Clients", ""].map((head) =>
                head === "" ? (
                  <td key={head} />
                ) : (
                  <th key={head} scope="col">
                    {head}
                  </th>
                ),
              )}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <tr key={row.key}>
                <th scope="row">{row.name}</th>
                <td>{row.kind}</td>
                <td class="mono">{row.prefix}</td>
                <td>{row.roundTrip}</td>
                <td>{row.clients}</td>
                <td>{row.notes}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}
