import encodeQR from "qr";
import { useMemo } from "preact/hooks";

/** Modules of white around the code: scanners need four (ISO/IEC 18004). */
const QUIET_ZONE = 4;

/** `text` as a QR code, dark on white in both colour schemes, because many scanners cannot read the inverse. */
export function QrCode({ text, label }: { readonly text: string; readonly label: string }) {
  const { path, size } = useMemo(() => draw(text), [text]);
  return (
    <svg class="qr" viewBox={`0 0 ${size} ${size}`} role="img" aria-label={label} shape-rendering="crispEdges">
      <rect class="qr-ground" width={size} height={size} />
      <path class="qr-modules" d={path} />
    </svg>
  );
}

function draw(text: string): { readonly path: string; readonly size: number } {
  const rows = encodeQR(text, "raw", { ecc: "low", border: QUIET_ZONE });
  let path = "";
  for (const [y, row] of rows.entries()) {
    for (const [x, dark] of row.entries()) if (dark) path += `M${x} ${y}h1v1h-1z`;
  }
  return { path, size: rows.length };
}
