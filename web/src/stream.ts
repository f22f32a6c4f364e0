import { joined } from "./joined.js";
import type { Tensors } from "./litert.js";
import { LookaheadGain } from "./lookahead-gain.js";
import type { Model } from "./model.js";
import { requireThat, type SegmentOptions } from "./options.js";
import { Resampler } from "./resampler.js";
import { Segmenter } from "./segmenter.js";
import type { Event } from "./segments.js";

const MAX_PEAK = 10; // audio may exceed full scale; unscaled integers exceed it by far more

/** Speech probabilities of a recording that comes in pieces, one per frame, in step with the recording. */
class ProbabilityStream {
  readonly delayFrames: number;
  private readonly state: Tensors;
  private rest = new Float32Array(); // the beginning of a frame
  private toDrop: number; // the first outputs are about frames before the beginning
  private length = 0;

  constructor(
    private readonly model: Model,
    private readonly lookahead: boolean,
  ) {
    this.delayFrames = lookahead ? model.lookaheadFrames : model.delayFrames;
    this.toDrop = this.delayFrames;
    this.state = model.initialState();
  }

  feed(samples: Float32Array): Float32Array {
    this.length += samples.length;
    return this.process(samples);
  }

  finish(): Float32Array {
    if (this.length === 0) return new Float32Array();
    const { frameLength } = this.model;
    const partial = (frameLength - (this.length % frameLength)) % frameLength;
    return this.process(new Float32Array(partial + this.delayFrames * frameLength));
  }

  /** Gives the model all whole frames, in chunks where possible, and keeps the rest. */
  private process(next: Float32Array): Float32Array {
    const samples = joined([this.rest, next]);
    const { frameLength, chunkFrames } = this.model;
    const outputs: Float32Array[] = [];
    let position = 0;
    for (const length of [chunkFrames * frameLength, frameLength]) {
      for (; samples.length - position >= length; position += length) {
        const block = samples.subarray(position, position + length);
        outputs.push(this.model.run(block, this.state, this.lookahead));
      }
    }
    this.rest = samples.slice(position);
    const probabilities = joined(outputs);
    const dropped = Math.min(this.toDrop, probabilities.length);
    this.toDrop -= dropped;
    return probabilities.slice(dropped);
  }
}

/** How a stream processes its recording. */
export interface StreamOptions {
  /** Of the samples to come, in Hz. By default the model's, 16000. */
  sampleRate?: number;
  /** Give the model's lookahead output, which is later and more accurate. A stream is never turned up. Default: false. */
  lookahead?: boolean;
  /** Withhold `SpeechStart` until it is certain. Then there is no `SpeechRejected`. By default false. */
  confirmStart?: boolean;
}

/**
 * A recording or a microphone, processed piece by piece. `Detector.stream` makes it. How the samples are divided into
 * calls does not change the events. Times are seconds of audio since the first sample.
 */
export class Stream {
  /** In Hz. */
  readonly sampleRate: number;
  /** New from the last `feed` or `finish`, one per frame. */
  probabilities: Float32Array = new Float32Array();
  private readonly resampler: Resampler;
  private readonly frames: ProbabilityStream;
  private readonly segmenter: Segmenter;
  private readonly gain: LookaheadGain | undefined;
  private samples = 0;
  private finished = false;

  /** @internal */
  constructor(model: Model, options: SegmentOptions, settings: StreamOptions = {}, turnUp = false) {
    const { sampleRate = model.sampleRate, lookahead = false, confirmStart = false } = settings;
    const inRange = Number.isInteger(sampleRate) && sampleRate >= 4000 && sampleRate <= 384000;
    requireThat(inRange, "sampleRate must be a whole number from 4000 to 384000", sampleRate);
    this.sampleRate = sampleRate;
    this.resampler = new Resampler(sampleRate, model.sampleRate);
    this.gain = turnUp ? new LookaheadGain(model) : undefined;
    this.frames = new ProbabilityStream(model, lookahead && model.lookaheadFrames > 0);
    const delay = this.frames.delayFrames * model.frameDuration;
    this.segmenter = new Segmenter(options, model.frameDuration, confirmStart, delay);
  }

  /** Seconds of audio so far. */
  get duration(): number {
    return this.samples / this.sampleRate;
  }

  /**
   * Processes the next samples.
   *
   * @param samples Mono, in [-1, 1]; any number.
   * @returns The events that they decide, in order.
   * @throws {TypeError | RangeError} The samples are not audio. None of them was used.
   */
  feed(samples: Float32Array): Event[] {
    if (this.finished) throw new Error("the stream is finished. Start another one for the next recording.");
    if (!(samples instanceof Float32Array)) throw new TypeError("samples must be a Float32Array.");
    const wrong = samples.find((sample) => !(Math.abs(sample) <= MAX_PEAK));
    requireThat(wrong === undefined, "samples must be in [-1, 1]", wrong);
    this.samples += samples.length;
    const resampled = this.resampler.feed(samples);
    this.probabilities = this.frames.feed(this.gain ? this.gain.feed(resampled) : resampled);
    return this.segmenter.feed(this.probabilities);
  }

  /** Ends the recording. A segment that is still open ends with it. */
  finish(): Event[] {
    if (this.finished) return [];
    this.finished = true;
    let rest = this.resampler.finish();
    if (this.gain) rest = joined([this.gain.feed(rest), this.gain.finish()]);
    this.probabilities = joined([this.frames.feed(rest), this.frames.finish()]);
    const events = [...this.segmenter.feed(this.probabilities), ...this.segmenter.finish(this.duration)];
    // The zeros after the end are no audio: they decide nothing later than the end.
    return events.map((event) => ({ ...event, decidedAt: Math.min(event.decidedAt, this.duration) }));
  }
}
