/** Cross-correlation by fast Fourier transform. */

interface Turns {
  readonly cos: Float64Array;
  readonly sin: Float64Array;
}

/** Cosines and sines of a half turn in `length / 2` steps. */
function turnsFor(length: number): Turns {
  const angle = (-2 * Math.PI) / length;
  return {
    cos: Float64Array.from({ length: length / 2 }, (_, k) => Math.cos(angle * k)),
    sin: Float64Array.from({ length: length / 2 }, (_, k) => Math.sin(angle * k)),
  };
}

/** In-place radix-2 transform of `re + i·im`; the length is a power of two. */
function fft(re: Float64Array, im: Float64Array, { cos, sin }: Turns): void {
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

/**
 * Prepares a source and returns a function that gives, for a window of at most `maxWindow` samples, its normalised
 * correlation (-1..1) with the source at every lag 0..source.length - window.length.
 */
export function createCorrelator(source: Float32Array, maxWindow: number): (window: Float32Array) => Float32Array {
  let size = 1;
  while (size < source.length + maxWindow) size <<= 1;
  const sourceRe = new Float64Array(size);
  const sourceIm = new Float64Array(size);
  sourceRe.set(source);
  const turns = turnsFor(size);
  fft(sourceRe, sourceIm, turns);
  const energyBefore = new Float64Array(source.length + 1);
  source.forEach((value, i) => {
    energyBefore[i + 1] = energyBefore[i]! + value * value;
  });
  return (window) => {
    const re = new Float64Array(size);
    const im = new Float64Array(size);
    re.set(window);
    fft(re, im, turns);
    for (let i = 0; i < size; i++) {
      // source spectrum times the window's conjugate
      const productRe = sourceRe[i]! * re[i]! + sourceIm[i]! * im[i]!;
      im[i] = sourceIm[i]! * re[i]! - sourceRe[i]! * im[i]!;
      re[i] = productRe;
    }
    // swapping the parts before and after makes the forward transform the inverse one
    fft(im, re, turns);
    const windowEnergy = window.reduce((sum, value) => sum + value * value, 0);
    const correlations = new Float32Array(Math.max(0, source.length - window.length + 1));
    for (let lag = 0; lag < correlations.length; lag++) {
      const energy = Math.sqrt(windowEnergy * (energyBefore[lag + window.length]! - energyBefore[lag]!));
      correlations[lag] = energy < 1e-9 ? 0 : re[lag]! / size / energy;
    }
    return correlations;
  };
}
