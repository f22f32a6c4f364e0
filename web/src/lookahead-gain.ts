import { joined } from "./joined.js";
import type { Model } from "./model.js";

const AHEAD_S = 60;
const TARGET_DBFS = -36;
const MOST_DB = 40;
const FALL_DB_PER_S = 0.1;
const HOP_S = 0.02;
const LOUD_HOPS = 10; // 0.2 s
const SILENCE = 1e-13; // power

/**
 * Turns a recording up where its loudest sounds are below -36 dBFS, by at most 40 dB, before the network gets it.
 * `vad/detection/lookahead_gain.py` of the Python package explains the rules and computes the same.
 */
export class LookaheadGain {
  private readonly chunk: number; // samples
  private readonly hop: number;
  private readonly chunksAhead: number;
  private readonly fallDb: number;
  private rest = new Float32Array(); // the beginning of a chunk
  private waiting: Float32Array[] = []; // chunks whose gain is not certain
  private powers: Float32Array[] = []; // of the hops of each chunk
  private levelDbfs = -Infinity;
  private gainDb: number | undefined;

  constructor(model: Model) {
    const ofModel = model.chunkFrames * model.frameLength;
    this.chunk = ofModel * Math.ceil(model.sampleRate / ofModel);
    this.hop = Math.round(HOP_S * model.sampleRate);
    const chunkS = this.chunk / model.sampleRate;
    this.chunksAhead = Math.round(AHEAD_S / chunkS);
    this.fallDb = FALL_DB_PER_S * chunkS;
  }

  /** Takes the next samples, and returns those whose gain is certain. */
  feed(next: Float32Array): Float32Array {
    const samples = joined([this.rest, next]);
    const ready: Float32Array[] = [];
    let position = 0;
    for (; samples.length - position >= this.chunk; position += this.chunk) {
      this.wait(samples.subarray(position, position + this.chunk));
      while (this.waiting.length > 0) {
        const level = this.level(LOUD_HOPS);
        if (level < TARGET_DBFS && this.waiting.length <= this.chunksAhead) break; // later sound may raise it
        ready.push(this.release(level));
      }
    }
    this.rest = samples.slice(position);
    return joined(ready);
  }

  /** Ends the recording, and returns all other samples. */
  finish(): Float32Array {
    if (this.rest.length > 0) this.wait(this.rest);
    const hops = this.powers.reduce((sum, powers) => sum + powers.length, 0);
    const loud = Math.min(LOUD_HOPS, Math.ceil(hops / 2)); // a word may be all of a recording
    const ready: Float32Array[] = [];
    while (this.waiting.length > 0) ready.push(this.release(this.level(loud)));
    return joined(ready);
  }

  private wait(chunk: Float32Array): void {
    this.waiting.push(chunk);
    this.powers.push(this.powersOf(chunk));
    if (this.powers.length > this.chunksAhead + 1) this.powers.shift();
  }

  /** The power of each whole hop. */
  private powersOf(chunk: Float32Array): Float32Array {
    const powers = new Float32Array(Math.floor(chunk.length / this.hop));
    for (let hop = 0; hop < powers.length; hop++) {
      const samples = chunk.subarray(hop * this.hop, (hop + 1) * this.hop);
      powers[hop] = samples.reduce((sum, sample) => sum + sample * sample, 0) / this.hop;
    }
    return powers;
  }

  /** The level that so many hops exceed, or that of the chunk before, less its fall. */
  private level(loud: number): number {
    const powers = joined(this.powers).sort();
    let level = loud > 0 ? -Infinity : TARGET_DBFS; // of less than a hop, nothing is known
    if (loud > 0 && loud <= powers.length) {
      level = 10 * Math.log10(Math.max(powers[powers.length - loud] ?? 0, SILENCE));
    }
    return Math.max(level, this.levelDbfs - this.fallDb);
  }

  /** Turns up the first chunk that waits, in a straight line from the gain before. */
  private release(levelDbfs: number): Float32Array {
    this.levelDbfs = levelDbfs;
    const chunk = this.waiting.shift() ?? new Float32Array();
    const after = Math.min(Math.max(TARGET_DBFS - levelDbfs, 0), MOST_DB);
    const before = this.gainDb ?? after;
    this.gainDb = after;
    if (before === 0 && after === 0) return chunk;
    return chunk.map((sample, index) => {
      const gainDb = before + ((after - before) * (index + 1)) / this.chunk;
      return Math.min(Math.max(sample * 10 ** (gainDb / 20), -1), 1);
    });
  }
}
