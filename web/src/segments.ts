/** A period of speech, in seconds from the beginning of the recording. */
export interface Segment {
  start: number;
  end: number;
}

/** Speech begins. A `SpeechEnd` or a `SpeechRejected` of the same start follows. */
export interface SpeechStart {
  kind: "start";
  /** Where the segment starts, padding included. */
  time: number;
  /** Seconds of audio after which the stream decided this. */
  decidedAt: number;
}

/** Speech is over. */
export interface SpeechEnd {
  kind: "end";
  segment: Segment;
  time: number;
  decidedAt: number;
}

/** The last `SpeechStart` was wrong: the speech was shorter than `minSpeechDurationMs`. */
export interface SpeechRejected {
  kind: "rejected";
  /** The `time` of that start. */
  time: number;
  decidedAt: number;
}

export type Event = SpeechStart | SpeechEnd | SpeechRejected;

/** The segments among events. */
export function segmentsOf(events: readonly Event[]): Segment[] {
  return events.flatMap((event) => (event.kind === "end" ? [event.segment] : []));
}
