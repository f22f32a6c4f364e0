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

/** What one call of a model gives. */
interface Output {
  probabilities: Float32Array;
  state: Tensors;
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
    const model = new Model(await Graph.load(new Uint8Array(content), assets.href), card);
    for (const frames of [1, model.chunkFrames]) {
      model.run(new Float32Array(frames * model.frameLength), model.initialState(), false);
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

  /** Processes one frame, or `chunkFrames` of them. */
  run(samples: Float32Array, state: Tensors, lookahead: boolean): Output {
    const key = samples.length === this.frameLength ? "step" : "chunk";
    const { probability, late_probability: late, ...after } = this.graph.run(key, { ...state, samples });
    return { probabilities: (lookahead ? late : probability)!, state: after };
  }

  /** Frees the memory. The model cannot be used afterwards. */
  destroy(): void {
    this.graph.destroy();
  }
}

async function download(url: URL): Promise<Response> {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`cannot load ${url}: ${answer.status} ${answer.statusText}.`);
  return answer;
}
