import { joined } from "./joined.js";
import { Model } from "./model.js";
import { changedOptions, DEFAULT_OPTIONS, requireKnown, type SegmentOptions } from "./options.js";
import { segmentsOf, type Event, type Segment } from "./segments.js";
import { Stream, type StreamOptions } from "./stream.js";

/** What to load, and the options that replace those of its operating point. */
export interface DetectorOptions extends Partial<SegmentOptions> {
  /** A name in `MODEL_NAMES`, or the URL of a .tflite file of your own with its card beside it. By default "default". */
  model?: string | URL;
  /** "balanced" (by default), "precise" (fewer false alarms) or "eager" (fewer misses). */
  operatingPoint?: string;
  /** Where dist/assets of this package is served. By default beside this module. */
  assets?: string | URL;
}

/** The result of `Detector.process`. */
export interface Detection {
  /** Seconds of audio. */
  duration: number;
  /** Seconds of audio per probability. */
  frameDuration: number;
  /** Of speech, 0 to 1, one per frame. */
  probabilities: Float32Array;
  /** The speech, in order. */
  segments: Segment[];
}

/** The models of the package. */
export const MODEL_NAMES: readonly string[] = ["default", "tiny"];

export const DETECTOR_OPTIONS: readonly string[] = [
  "model",
  "operatingPoint",
  "assets",
  ...Object.keys(DEFAULT_OPTIONS),
];

const MAX_BUSY_MS = 50; // a browser calls a task longer than this a long one

/** Detects speech. Any number of recordings and streams may share a detector. */
export class Detector {
  private constructor(
    private readonly model: Model,
    /** The options in force. */
    readonly options: SegmentOptions,
  ) {}

  /**
   * Loads a model, and LiteRT with the first one.
   *
   * @throws {TypeError | RangeError} An option is unknown, or its value is out of range.
   * @throws {Error} A file cannot be loaded.
   */
  static async load(options: DetectorOptions = {}): Promise<Detector> {
    requireKnown(options, DETECTOR_OPTIONS);
    const { model: name = "default", operatingPoint = "balanced", assets, ...changes } = options;
    changedOptions(DEFAULT_OPTIONS, changes); // a wrong value is an error now, not after the download
    const served = assetsUrl(assets);
    const model = await Model.load(modelUrl(name, served), served);
    try {
      const inForce = changedOptions(operatingPointOf(model, operatingPoint), changes);
      new Stream(model, inForce); // options that this model's frames cannot keep
      return new Detector(model, inForce);
    } catch (error) {
      model.destroy();
      throw error;
    }
  }

  /** The model's, in Hz. Audio of another rate is resampled. */
  get sampleRate(): number {
    return this.model.sampleRate;
  }

  /** Samples per probability, at `sampleRate`. */
  get frameLength(): number {
    return this.model.frameLength;
  }

  /** Seconds of audio per probability. */
  get frameDuration(): number {
    return this.model.frameDuration;
  }

  /**
   * Detects the speech in a whole recording.
   *
   * @param samples Mono, in [-1, 1].
   * @param sampleRate In Hz.
   */
  async detect(samples: Float32Array, sampleRate: number): Promise<Segment[]> {
    return (await this.process(samples, sampleRate)).segments;
  }

  /**
   * Analyses a whole recording. It lets the page work every 50 ms.
   *
   * @param samples Mono, in [-1, 1].
   * @param sampleRate In Hz.
   * @param options `lookahead`, by default true here: quiet recordings are turned up, and the model's lookahead output
   *     is used, which is more accurate. False processes the recording as a stream.
   */
  async process(samples: Float32Array, sampleRate: number, options: { lookahead?: boolean } = {}): Promise<Detection> {
    const lookahead = options.lookahead ?? true;
    const stream = new Stream(this.model, this.options, { sampleRate, lookahead }, lookahead);
    const blockLength = Math.round(this.model.chunkFrames * this.frameDuration * sampleRate);
    const events: Event[] = [];
    const probabilities: Float32Array[] = [];
    let rested = performance.now();
    for (let position = 0; position < samples.length; position += blockLength) {
      events.push(...stream.feed(samples.subarray(position, position + blockLength)));
      probabilities.push(stream.probabilities);
      if (performance.now() - rested > MAX_BUSY_MS) {
        await new Promise((resume) => setTimeout(resume));
        rested = performance.now();
      }
    }
    events.push(...stream.finish());
    probabilities.push(stream.probabilities);
    return {
      duration: stream.duration,
      frameDuration: this.frameDuration,
      probabilities: joined(probabilities),
      segments: segmentsOf(events),
    };
  }

  /** Starts a stream: a recording that comes piece by piece. Any number may run at a time. */
  stream(options: StreamOptions = {}): Stream {
    requireKnown(options, ["sampleRate", "lookahead", "confirmStart"]);
    return new Stream(this.model, this.options, options);
  }

  /** Frees the memory. The detector and its streams cannot be used afterwards. */
  destroy(): void {
    this.model.destroy();
  }
}

/** Where the files of this package are served. */
export function assetsUrl(assets: string | URL = new URL("./assets/", import.meta.url)): URL {
  const url = new URL(assets, globalThis.document?.baseURI);
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  return url;
}

function modelUrl(name: string | URL, assets: URL): URL {
  if (MODEL_NAMES.includes(String(name))) return new URL(`${name}.tflite`, assets);
  const url = new URL(name, globalThis.document?.baseURI);
  if (url.pathname.endsWith(".tflite")) return url;
  throw new RangeError(
    `model must be one of ${MODEL_NAMES.join(", ")}, or the URL of a .tflite file. Received: ${name}.`,
  );
}

function operatingPointOf(model: Model, name: string): SegmentOptions {
  const point = model.operatingPoints[name];
  if (!point) {
    const known = Object.keys(model.operatingPoints).join(", ");
    throw new RangeError(`operatingPoint must be one of ${known}. Received: ${name}.`);
  }
  const camelCase = (word: string) => word.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
  const options = Object.fromEntries(Object.entries(point).map(([word, value]) => [camelCase(word), value]));
  return changedOptions(DEFAULT_OPTIONS, options);
}
