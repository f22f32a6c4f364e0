// The cutoff and the width of the transition, as fractions of the lower Nyquist frequency.
const CUTOFF = 0.95;
const TRANSITION = 0.2;
const ATTENUATION_DB = 60;
const MAX_PHASES = 1024; // filters; a rate without a simple ratio takes the nearest one

/**
 * Resamples a mono stream block by block. The block lengths do not change the output. It is the `LiveResampler` of the
 * Python package: a sinc with a Kaiser window, which delays 48 kHz to 16 kHz by 1.2 ms.
 *
 * n samples become round(n * toRate / fromRate) samples, at least 1 if n > 0.
 */
export class Resampler {
  private readonly step: number;
  private readonly phases: number;
  private readonly halfWidth: number;
  private readonly filters: Float32Array[];
  private input: Float32Array;
  private position: number; // of the next output, in phases from the start of `input`
  private samplesIn = 0;
  private samplesOut = 0;

  /**
   * @param fromRate Rate of the input, in whole Hz.
   * @param toRate Rate of the output, in whole Hz.
   */
  constructor(fromRate: number, toRate: number) {
    const divisor = greatestCommonDivisor(fromRate, toRate);
    this.step = fromRate / divisor;
    this.phases = toRate / divisor;
    const scale = Math.min(1, this.phases / this.step);
    this.halfWidth = Math.ceil((ATTENUATION_DB - 7.95) / (14.36 * TRANSITION * scale));
    this.filters = this.step === this.phases ? [] : windowedSincs(this.phases, this.halfWidth, CUTOFF * scale);
    this.input = new Float32Array(this.halfWidth - 1);
    this.position = (this.halfWidth - 1) * this.phases;
  }

  /** Takes the next samples, and gives the output that is ready. */
  feed(samples: Float32Array): Float32Array {
    if (this.step === this.phases) return samples;
    this.samplesIn += samples.length;
    return this.filter(samples);
  }

  /** Gives the rest of the output. The resampler cannot be used afterwards. */
  finish(): Float32Array {
    if (this.samplesIn === 0) return new Float32Array();
    const total = Math.max(1, roundHalfToEven((this.samplesIn * this.phases) / this.step));
    const missing = total - this.samplesOut;
    const padding = this.halfWidth + Math.ceil(this.step / this.phases);
    return this.filter(new Float32Array(padding)).slice(0, missing);
  }

  /** Computes each output whose window is complete, and keeps the input of later windows. */
  private filter(samples: Float32Array): Float32Array {
    const available = new Float32Array(this.input.length + samples.length);
    available.set(this.input);
    available.set(samples, this.input.length);
    const end = (available.length - this.halfWidth) * this.phases;
    const outputs = new Float32Array(Math.max(0, Math.ceil((end - this.position) / this.step)));
    for (let n = 0; n < outputs.length; n++, this.position += this.step) {
      const centre = Math.floor(this.position / this.phases);
      const fraction = (this.position % this.phases) / this.phases;
      const filter = this.filters[Math.round(fraction * (this.filters.length - 1))]!;
      const first = centre - (this.halfWidth - 1);
      let sum = 0;
      for (let k = 0; k < filter.length; k++) sum += available[first + k]! * filter[k]!;
      outputs[n] = sum;
    }
    this.samplesOut += outputs.length;
    const used = Math.floor(this.position / this.phases) - (this.halfWidth - 1);
    this.input = available.slice(used);
    this.position -= used * this.phases;
    return outputs;
  }
}

/** A filter for each fraction of a sample from 0 to 1, both included. */
function windowedSincs(phases: number, halfWidth: number, cutoff: number): Float32Array[] {
  const beta = 0.1102 * (ATTENUATION_DB - 8.7);
  const fractions = Math.min(phases, MAX_PHASES);
  return Array.from({ length: fractions + 1 }, (_, fraction) => {
    const taps = Float64Array.from({ length: 2 * halfWidth }, (_, tap) => {
      const time = fraction / fractions - (tap + 1 - halfWidth);
      const inside = Math.max(0, 1 - (time / halfWidth) ** 2);
      return sinc(cutoff * time) * besselI0(beta * Math.sqrt(inside));
    });
    const sum = taps.reduce((total, tap) => total + tap, 0);
    return Float32Array.from(taps, (tap) => tap / sum);
  });
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

/** The modified Bessel function of the first kind, by its power series. */
function besselI0(x: number): number {
  let sum = 1;
  for (let term = 1, k = 1; term > sum * 1e-12; k++) sum += term *= (x / 2 / k) ** 2;
  return sum;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/** Rounds as Python's `round` does. */
function roundHalfToEven(x: number): number {
  const rounded = Math.round(x);
  return rounded - x === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
}
