import { Graph, type Tensors } from "./litert.js";

/** The part of a model card that a browser needs. */
interface Card {
  format_version: number;
  sample_rate: number;
  frame_length: number;
  delay_frames: number;
  late_frames?: number;
  chunk_frames: number;
  states: Record<string, number[]>;
  segment_options: Record<string, Record<string, number>>;
}

const FORMAT_VERSION = 1;

/** A network: a .tflite file and its card. Any number of streams may share it; the state belongs to the caller. */
export class Model {
  private constructor(
    private readonly graph: Graph,
    private readonly card: Card,
  ) {}

  /**
   * Loads a network and runs it once, because the first call takes longest.
   *
   * @param url Of the .tflite file. Its card, a .json file, lies beside it.
   * @param assets Where LiteRT is served.
   * @throws {Error} A file cannot be loaded, or LiteRT cannot run it.
   */
  static async load(url: URL, assets: URL): Promise<Model> {
    const cardUrl = new URL(url);
    cardUrl.pathname = cardUrl.pathname.replace(/\.tflite$/, ".json");
    const [content, card] = await Promise.all([
      download(url).then((answer) => answer.arrayBuffer()),
      download(cardUrl).then((answer) => answer.json() as Promise<Card>),
    ]);
    if (card.format_version !== FORMAT_VERSION) {
      throw new Error(`${cardUrl} has format_version ${card.format_version}. This openvad reads ${FORMAT_VERSION}.`);
    }
    const graph = await Graph.load(new Uint8Array(content), assets.href).catch((error: unknown) => {
      throw new Error(`cannot run ${url}: ${error}`, { cause: error });
    });
    const model = new Model(graph, card);
    for (const [key, frames] of [["step", 1], ["chunk", model.chunkFrames]] as const) {
      const [samples, state] = [new Float32Array(frames * model.frameLength), model.initialState()];
      const lengths = graph.inputLengths(key); // LiteRT would not survive an array of another length
      if (!sameLengths(lengths, { ...state, samples })) {
        model.destroy();
        throw new Error(`${url} does not match its card. Serve both files of the same export.`);
      }
      model.run(samples, state, false);
    }
    return model;
  }

  get sampleRate(): number {
    return this.card.sample_rate;
  }

  /** Samples per frame. */
  get frameLength(): number {
    return this.card.frame_length;
  }

  /** Seconds per frame. */
  get frameDuration(): number {
    return this.card.frame_length / this.card.sample_rate;
  }

  /** Frames between a frame and the output about it. */
  get delayFrames(): number {
    return this.card.delay_frames;
  }

  /** The same for the lookahead output; 0 where there is none. */
  get lookaheadFrames(): number {
    return this.card.late_frames ?? 0;
  }

  /** Frames that one call can take, beside 1. */
  get chunkFrames(): number {
    return this.card.chunk_frames;
  }

  /** Options by the name of the operating point, with the card's names. */
  get operatingPoints(): Record<string, Record<string, number>> {
    return this.card.segment_options;
  }

  /** The state at the beginning of a recording: zeros. */
  initialState(): Tensors {
    const zeros = (shape: number[]) => new Float32Array(shape.reduce((size, length) => size * length, 1));
    return Object.fromEntries(Object.entries(this.card.states).map(([name, shape]) => [name, zeros(shape)]));
  }

  /**
   * Processes one frame, or `chunkFrames` of them.
   *
   * @param state Of the recording so far; it is changed in place.
   * @returns The probabilities, one per frame.
   */
  run(samples: Float32Array, state: Tensors, lookahead: boolean): Float32Array {
    const key = samples.length === this.frameLength ? "step" : "chunk";
    const outputs = this.graph.run(key, { ...state, samples });
    return (lookahead ? outputs.late_probability : outputs.probability)!;
  }

  /** Frees the memory. The model cannot be used afterwards. */
  destroy(): void {
    this.graph.destroy();
  }
}

function sameLengths(lengths: Record<string, number>, arrays: Tensors): boolean {
  const names = Object.keys(arrays);
  return names.length === Object.keys(lengths).length && names.every((name) => arrays[name]!.length === lengths[name]);
}

async function download(url: URL): Promise<Response> {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`cannot load ${url}: ${answer.status} ${answer.statusText}.`);
  return answer;
}
