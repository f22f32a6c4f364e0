import { releaseThreshold, requireThat, type SegmentOptions } from "./options.js";
import type { Event } from "./segments.js";

const ROUNDING = 1e-9; // 0.14 s / 0.02 s is 7.000000000000001, and means 7 frames

/** Speech with its short silences filled, or the last piece of it after a split. */
interface Speech {
  firstFrame: number;
  endFrame: number; // the frame after its last speech frame so far
  start: number; // padded, in seconds
  announced: boolean;
  certain: boolean; // long enough to become a segment
  probabilities: number[]; // from firstFrame on; kept only for splits
}

/**
 * Turns probabilities, one per frame, into events, as they come. It follows the rules of the Python package's
 * vad/detection/segmenter.py, which draws them. Both sides are tested with tests/golden/segmenter.json.
 */
export class Segmenter {
  private frames = 0;
  private speaking = false;
  private speech: Speech | null = null;
  private withheld: Speech | null = null; // ended, but its padding is not final
  private lastEnd = 0; // seconds; padding starts no earlier
  private events: Event[] = [];
  private readonly release: number;
  private readonly pad: number;
  private readonly minSpeech: number;
  private readonly minSilence: number;
  private readonly sharedSilence: number; // two pads overlap in a silence of fewer frames
  private readonly settlingSilence: number; // after this much silence an end is final
  private readonly maxSpeech: number;

  /**
   * @param frameDuration Seconds of audio per probability.
   * @param confirmStart Withhold a start until it is certain. Then there is no `SpeechRejected`.
   * @param delay Seconds of audio past its frame that a probability needs; added to `decidedAt`.
   * @throws {RangeError} `maxSpeechDurationS` cannot hold one frame between two pads.
   */
  constructor(
    private readonly options: SegmentOptions,
    private readonly frameDuration: number,
    private readonly confirmStart = false,
    private readonly delay = 0,
  ) {
    this.release = releaseThreshold(options);
    this.pad = options.speechPadMs / 1000;
    this.minSpeech = Math.max(1, this.framesLasting(options.minSpeechDurationMs / 1000));
    this.minSilence = Math.max(1, this.framesLasting(options.minSilenceDurationMs / 1000));
    this.sharedSilence = this.framesLasting(2 * this.pad);
    // The audio cannot end inside the padding, not even within its last frame.
    const padInsideAudio = this.pad > 0 ? this.framesLasting(this.pad) + 1 : 0;
    this.settlingSilence = Math.max(this.sharedSilence, padInsideAudio);
    const longest = (options.maxSpeechDurationS - 2 * this.pad) / frameDuration + ROUNDING;
    const rule = `maxSpeechDurationS must hold ${frameDuration} s between two pads of ${this.pad} s`;
    requireThat(longest >= 1, rule, options.maxSpeechDurationS);
    this.maxSpeech = Math.floor(longest);
  }

  /** Starts a new recording. */
  reset(): void {
    this.frames = 0;
    this.speaking = false;
    this.speech = null;
    this.withheld = null;
    this.lastEnd = 0;
    this.events = [];
  }

  /** Takes the probabilities of the next frames, and gives the events that they decide. */
  feed(probabilities: Iterable<number>): Event[] {
    for (const probability of probabilities) this.step(probability);
    return this.takeEvents();
  }

  /**
   * Ends the recording, and resets for the next one.
   *
   * @param duration Seconds of audio, which end inside the last frame; by default all frames in full.
   */
  finish(duration = this.frames * this.frameDuration): Event[] {
    if (this.speech) this.close(this.speech);
    if (this.withheld) this.emitEnd(this.withheld, Math.min(this.paddedEnd(this.withheld), duration));
    const events = this.takeEvents();
    this.reset();
    return events;
  }

  private framesLasting(duration: number): number {
    return Math.ceil(duration / this.frameDuration - ROUNDING);
  }

  private step(probability: number): void {
    const frame = this.frames++;
    this.speaking = probability >= (this.speaking ? this.release : this.options.threshold);
    if (this.speaking && !this.speech) this.speech = this.open(frame);
    const speech = this.speech;
    if (speech) {
      if (this.maxSpeech < Infinity) speech.probabilities.push(probability);
      if (this.speaking) this.extend(speech, frame);
      else if (this.frames - speech.endFrame >= this.minSilence) this.close(speech);
    }
    const ended = this.withheld;
    if (!this.speech && ended && this.frames - ended.endFrame >= this.settlingSilence) {
      this.emitEnd(ended, this.paddedEnd(ended));
    }
  }

  /** Begins speech at a frame. The end before it limits its padding. */
  private open(frame: number): Speech {
    let before = this.withheld;
    if (before && frame - before.endFrame >= this.sharedSilence) {
      this.emitEnd(before, this.paddedEnd(before));
      before = null;
    }
    const start = before
      ? ((before.endFrame + frame) / 2) * this.frameDuration
      : Math.max(frame * this.frameDuration - this.pad, this.lastEnd);
    const speech = { firstFrame: frame, endFrame: frame, start, announced: false, certain: false, probabilities: [] };
    if (!before && !this.confirmStart) this.announce(speech);
    return speech;
  }

  /** Adds a frame, and the short silence before it, to the speech. */
  private extend(speech: Speech, frame: number): void {
    speech.endFrame = frame + 1;
    if (!speech.certain && speech.endFrame - speech.firstFrame >= this.minSpeech) {
      speech.certain = true;
      if (this.withheld) this.emitEnd(this.withheld, speech.start);
      if (!speech.announced) this.announce(speech);
    }
    while (speech.certain && speech.endFrame - speech.firstFrame > this.maxSpeech) this.split(speech);
  }

  /** Cuts before the least probable frame (the latest of equals) of the second half. */
  private split(speech: Speech): void {
    const earliest = Math.floor((this.maxSpeech + 1) / 2);
    const latest = Math.max(earliest, Math.min(this.maxSpeech, this.maxSpeech + 1 - this.minSpeech));
    let cut = latest;
    for (let place = latest; place >= earliest; place--) {
      if (speech.probabilities[place]! < speech.probabilities[cut]!) cut = place;
    }
    const boundary = (speech.firstFrame + cut) * this.frameDuration;
    this.emitEnd(speech, boundary);
    speech.firstFrame += cut;
    speech.start = boundary;
    speech.probabilities.splice(0, cut);
    this.announce(speech);
  }

  /** Ends the speech after enough silence: withholds its end, or drops it. */
  private close(speech: Speech): void {
    this.speech = null;
    if (speech.certain) this.withheld = speech;
    else if (speech.announced) {
      this.events.push({ kind: "rejected", time: speech.start, decidedAt: this.decidedAt() });
    }
  }

  private paddedEnd(speech: Speech): number {
    return speech.endFrame * this.frameDuration + this.pad;
  }

  private announce(speech: Speech): void {
    speech.announced = true;
    this.events.push({ kind: "start", time: speech.start, decidedAt: this.decidedAt() });
  }

  private emitEnd(speech: Speech, end: number): void {
    this.withheld = null;
    this.lastEnd = end;
    const segment = { start: speech.start, end };
    this.events.push({ kind: "end", segment, time: end, decidedAt: this.decidedAt() });
  }

  private decidedAt(): number {
    return this.frames * this.frameDuration + this.delay;
  }

  private takeEvents(): Event[] {
    return this.events.splice(0);
  }
}
