/** The fast Fourier transform, and cross-correlation by it. */

interface Turns {
  readonly cos: Float64Array;
  readonly sin: Float64Array;
}

/** Cosines and sines of a half turn in `length / 2` steps. */
export function turnsFor(length: number): Turns {
  const angle = (-2 * Math.PI) / length;
  return {
    cos: Float64Array.from({ length: length / 2 }, (_, k) => Math.cos(angle * k)),
    sin: Float64Array.from({ length: length / 2 }, (_, k) => Math.sin(angle * k)),
  };
}

/** In-place radix-2 transform of `re + i·im`; the length is a power of two. */
export function fft(re: Float64Array, im: Float64Array, { cos, sin }: Turns): void {
  const n = re.length;
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) {
      [re[i], re[j]] = [re[j]!, re[i]!];
      [im[i], im[j]] = [im[j]!, im[i]!];
    }
  }
  for (let size = 2; size <= n; size <<= 1) {
    const half = size >> 1;
    const stride = n / size;
    for (let start = 0; start < n; start += size) {
      for (let k = 0; k < half; k++) {
        const a = start + k;
        const b = a + half;
        const c = cos[k * stride]!;
        const s = sin[k * stride]!;
        const tre = re[b]! * c - im[b]! * s;
        const tim = re[b]! * s + im[b]! * c;
        re[b] = re[a]! - tre;
        im[b] = im[a]! - tim;
        re[a]! += tre;
        im[a]! += tim;
      }
    }
  }
}

/** Sum of products of `window` with `source` at every lag 0..source.length - window.length. */
export function crossCorrelation(source: Float32Array, window: Float32Array): Float64Array {
  let size = 1;
  while (size < source.length + window.length) size <<= 1;
  const turns = turnsFor(size);
  const [sourceRe, sourceIm] = [new Float64Array(size), new Float64Array(size)];
  const [re, im] = [new Float64Array(size), new Float64Array(size)];
  sourceRe.set(source);
  re.set(window);
  fft(sourceRe, sourceIm, turns);
  fft(re, im, turns);
  for (let i = 0; i < size; i++) {
    // source spectrum times the window's conjugate
    const productRe = sourceRe[i]! * re[i]! + sourceIm[i]! * im[i]!;
    im[i] = (sourceIm[i]! * re[i]! - sourceRe[i]! * im[i]!) / size;
    re[i] = productRe / size;
  }
  // swapping the parts before and after makes the forward transform the inverse one
  fft(im, re, turns);
  return re.subarray(0, Math.max(0, source.length - window.length + 1));
}

/** The same, divided by what the two would give if they were alike: -1..1, whatever the levels. */
export function normalisedCorrelation(source: Float32Array, window: Float32Array): Float64Array {
  const energyBefore = new Float64Array(source.length + 1);
  source.forEach((value, i) => {
    energyBefore[i + 1] = energyBefore[i]! + value * value;
  });
  const windowEnergy = window.reduce((sum, value) => sum + value * value, 0);
  return crossCorrelation(source, window).map((value, lag) => {
    const energy = Math.sqrt(windowEnergy * (energyBefore[lag + window.length]! - energyBefore[lag]!));
    return energy < 1e-9 ? 0 : value / energy;
  });
}
