/** How probabilities become segments. The names and rules are those of the Python package's `SegmentOptions`. */
export interface SegmentOptions {
  /** Speech begins at this probability or above, 0 to 1. */
  threshold: number;
  /** Speech ends below this probability. null is `threshold` - 0.15, but at least 0.01. */
  negThreshold: number | null;
  /** Shorter speech is dropped, measured before padding. */
  minSpeechDurationMs: number;
  /** Shorter silences between speech are filled. */
  minSilenceDurationMs: number;
  /** Added on both sides of a segment. */
  speechPadMs: number;
  /** Longer segments, padding included, are split. Infinity never splits. */
  maxSpeechDurationS: number;
}

export const DEFAULT_OPTIONS: Readonly<SegmentOptions> = {
  threshold: 0.5,
  negThreshold: null,
  minSpeechDurationMs: 100,
  minSilenceDurationMs: 150,
  speechPadMs: 30,
  maxSpeechDurationS: Infinity,
};

/**
 * A copy of options with some of them changed. A `negThreshold` that was set keeps its distance when only `threshold`
 * changes.
 *
 * @throws {RangeError} A value is out of its range.
 */
export function changedOptions(base: SegmentOptions, changes: Partial<SegmentOptions>): SegmentOptions {
  const given = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined));
  const options: SegmentOptions = { ...base, ...given };
  if (base.negThreshold !== null && "threshold" in given && !("negThreshold" in given)) {
    options.negThreshold = Math.max(0, options.threshold - (base.threshold - base.negThreshold));
  }
  const { threshold, negThreshold, maxSpeechDurationS } = options;
  requireThat(threshold >= 0 && threshold <= 1, "threshold must be between 0 and 1", threshold);
  if (negThreshold !== null) {
    const rule = `negThreshold must be between 0 and threshold=${threshold}`;
    requireThat(negThreshold >= 0 && negThreshold <= threshold, rule, negThreshold);
  }
  for (const name of ["minSpeechDurationMs", "minSilenceDurationMs", "speechPadMs"] as const) {
    const value = options[name];
    requireThat(value >= 0 && value < Infinity, `${name} must be finite and 0 or more`, value);
  }
  requireThat(maxSpeechDurationS > 0, "maxSpeechDurationS must be more than 0", maxSpeechDurationS);
  return options;
}

/** The probability below which speech ends. */
export function releaseThreshold({ threshold, negThreshold }: SegmentOptions): number {
  return negThreshold ?? Math.min(threshold, Math.max(threshold - 0.15, 0.01));
}

/**
 * @throws {TypeError} An option has none of the known names.
 */
export function requireKnown(options: object, known: readonly string[]): void {
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new TypeError(`an option must be one of ${known.join(", ")}. Received: ${unknown}.`);
  }
}

/**
 * @throws {RangeError} The rule does not hold.
 */
export function requireThat(holds: boolean, rule: string, received: unknown): void {
  if (!holds) throw new RangeError(`${rule}. Received: ${String(received)}.`);
}
