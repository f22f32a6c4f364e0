import { AudioHistory } from "./audio-history.js";
import { assetsUrl, Detector, DETECTOR_OPTIONS, type DetectorOptions } from "./detector.js";
import { capture, openMicrophone, type Capture } from "./microphone.js";
import { requireThat, requireKnown } from "./options.js";
import { Resampler } from "./resampler.js";
import type { Event, Segment, SpeechRejected, SpeechStart } from "./segments.js";
import type { Stream } from "./stream.js";

/** What a `MicVAD` does, and what it calls. */
export interface MicVADOptions extends DetectorOptions {
  /** Call `onSpeechStart` only when the speech is certain. Then there is no `onMisfire`. By default false. */
  confirmStart?: boolean;
  /** Milliseconds before a segment that its audio starts with. By default 300. */
  preRollMs?: number;
  /** Gives the media stream to process. By default it asks for the microphone. */
  getStream?: () => Promise<MediaStream>;
  /** Speech has started. */
  onSpeechStart?: (event: SpeechStart) => void;
  /** Speech is over: its audio, mono at 16 kHz, and its times. */
  onSpeechEnd?: (audio: Float32Array, segment: Segment) => void;
  /** What had started was shorter than `minSpeechDurationMs`. */
  onMisfire?: (event: SpeechRejected) => void;
  /** Another name of `onMisfire`. */
  onVADMisfire?: (event: SpeechRejected) => void;
  /** The probability of each frame, and its audio at 16 kHz. */
  onFrameProcessed?: (probabilities: { isSpeech: number; notSpeech: number }, frame: Float32Array) => void;
}

const OWN_OPTIONS: readonly string[] = [
  "confirmStart",
  "preRollMs",
  "getStream",
  "onSpeechStart",
  "onSpeechEnd",
  "onMisfire",
  "onVADMisfire",
  "onFrameProcessed",
];
const DEFAULT_PRE_ROLL_MS = 300;
const DELAY_S = 1; // more than any model needs to decide

/** Detects speech at the microphone. The times of its events are seconds since `start`. */
export class MicVAD {
  private session: Session | null = null;
  private starting: Promise<void> | null = null;

  private constructor(
    private readonly detector: Detector,
    private readonly options: MicVADOptions,
  ) {}

  /**
   * Loads the model. `start` asks for the microphone.
   *
   * @throws {TypeError | RangeError} An option is unknown, or its value is out of range.
   * @throws {Error} A file cannot be loaded.
   */
  static async new(options: MicVADOptions = {}): Promise<MicVAD> {
    requireKnown(options, [...DETECTOR_OPTIONS, ...OWN_OPTIONS]);
    const { preRollMs = DEFAULT_PRE_ROLL_MS } = options;
    requireThat(preRollMs >= 0 && preRollMs < Infinity, "preRollMs must be finite and 0 or more", preRollMs);
    const ofDetector = Object.entries(options).filter(([name]) => DETECTOR_OPTIONS.includes(name));
    return new MicVAD(await Detector.load(Object.fromEntries(ofDetector)), options);
  }

  /** Whether it listens. */
  get listening(): boolean {
    return this.session !== null;
  }

  /**
   * Begins to listen. Call it when the person presses a button: before that, browsers keep audio suspended.
   *
   * @throws {DOMException} The person or the browser refuses the microphone.
   */
  async start(): Promise<void> {
    if (this.session) return;
    this.starting ??= this.open().finally(() => (this.starting = null));
    await this.starting;
  }

  /** Stops, and lets the microphone go. A segment that is still open ends. `start` begins a new recording. */
  async pause(): Promise<void> {
    await this.starting?.catch(() => undefined); // `start` has told it
    const session = this.session;
    this.session = null;
    await session?.close();
  }

  /** Stops, and frees the memory. */
  async destroy(): Promise<void> {
    await this.pause();
    this.detector.destroy();
  }

  private async open(): Promise<void> {
    const media = await (this.options.getStream ?? openMicrophone)();
    const session = new Session(this.detector, this.options);
    await session.open(media, () => void this.pause());
    this.session = session;
  }
}

/** One recording of a microphone, from `start` to `pause`. */
class Session {
  private readonly stream: Stream;
  private readonly audio = new AudioHistory(); // at the model's rate
  private readonly preRoll: number; // seconds
  private readonly longestWait: number; // seconds from a segment's start to its event
  private capture: Capture | null = null;
  private resampler: Resampler | null = null;
  private frames = 0; // that have a probability
  private openSince: number | null = null; // seconds

  constructor(
    private readonly detector: Detector,
    private readonly options: MicVADOptions,
  ) {
    this.stream = detector.stream({ confirmStart: options.confirmStart ?? false });
    this.preRoll = (options.preRollMs ?? DEFAULT_PRE_ROLL_MS) / 1000;
    const { minSpeechDurationMs, minSilenceDurationMs, speechPadMs } = detector.options;
    this.longestWait = (minSpeechDurationMs + minSilenceDurationMs + 2 * speechPadMs) / 1000 + DELAY_S;
  }

  async open(media: MediaStream, onEnded: () => void): Promise<void> {
    const assets = assetsUrl(this.options.assets);
    this.capture = await capture(media, assets, (samples, sampleRate) => this.process(samples, sampleRate), onEnded);
  }

  async close(): Promise<void> {
    await this.capture?.stop();
    if (this.resampler) this.feed(this.resampler.finish());
    this.report(this.stream.finish());
  }

  private process(samples: Float32Array, sampleRate: number): void {
    this.resampler ??= new Resampler(sampleRate, this.detector.sampleRate);
    this.feed(this.resampler.feed(samples));
  }

  private feed(samples: Float32Array): void {
    this.audio.push(samples);
    this.report(this.stream.feed(samples));
    const needed = this.openSince ?? this.stream.duration - this.longestWait;
    this.audio.forget(Math.floor((needed - this.preRoll) * this.detector.sampleRate));
  }

  /** Calls back for the frames and events of the stream's last call. */
  private report(events: Event[]): void {
    const { frameLength } = this.detector;
    for (const isSpeech of this.options.onFrameProcessed ? this.stream.probabilities : []) {
      const begin = this.frames++ * frameLength;
      const frame = this.audio.read(begin, begin + frameLength);
      this.options.onFrameProcessed!({ isSpeech, notSpeech: 1 - isSpeech }, frame);
    }
    for (const event of events) {
      this.openSince = event.kind === "start" ? event.time : null;
      if (event.kind === "start") this.options.onSpeechStart?.(event);
      else if (event.kind === "end") this.options.onSpeechEnd?.(this.audioOf(event.segment), event.segment);
      else (this.options.onMisfire ?? this.options.onVADMisfire)?.(event);
    }
  }

  private audioOf({ start, end }: Segment): Float32Array {
    const { sampleRate } = this.detector;
    return this.audio.read(Math.round(Math.max(0, start - this.preRoll) * sampleRate), Math.round(end * sampleRate));
  }
}
