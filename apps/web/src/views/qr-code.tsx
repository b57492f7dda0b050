import { useEffect, useState } from "preact/hooks";

/** Modules of white around the code: scanners need four (ISO/IEC 18004). */
const QUIET_ZONE = 4;

interface Drawing {
  readonly path: string;
  readonly size: number;
}

/**
 * `text` as a QR code, dark on white in both colour schemes, because many scanners cannot read the inverse. The encoder
 * is fetched when the first code is shown: most visits show none.
 */
export function QrCode({ text, label }: { readonly text: string; readonly label: string }) {
  const [drawing, setDrawing] = useState<Drawing | "failed" | undefined>(undefined);
  useEffect(() => {
    let current = true;
    void draw(text)
      // The node, which the encoder is fetched from, may be gone: the text beside the code does without it.
      .catch(() => "failed" as const)
      .then((drawn) => {
        if (current) setDrawing(drawn);
      });
    return () => {
      current = false;
    };
  }, [text]);
  if (drawing === "failed") return null;
  const size = drawing?.size ?? 1;
  return (
    <svg class="qr" viewBox={`0 0 ${size} ${size}`} role="img" aria-label={label} shape-rendering="crispEdges">
      <rect class="qr-ground" width={size} height={size} />
      <path class="qr-modules" d={drawing?.path ?? ""} />
    </svg>
  );
}

async function draw(text: string): Promise<Drawing> {
  const { default: encodeQR } = await import("qr");
  const rows = encodeQR(text, "raw", { ecc: "low", border: QUIET_ZONE });
  let path = "";
  for (const [y, row] of rows.entries()) {
    for (const [x, dark] of row.entries()) if (dark) path += `M${x} ${y}h1v1h-1z`;
  }
  return { path, size: rows.length };
}
