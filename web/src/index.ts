export { Detector, MODEL_NAMES, type Detection, type DetectorOptions } from "./detector.js";
export { MicVAD, type MicVADOptions } from "./mic-vad.js";
export { changedOptions, DEFAULT_OPTIONS, type SegmentOptions } from "./options.js";
export { Resampler } from "./resampler.js";
export { Segmenter } from "./segmenter.js";
export type { Event, Segment, SpeechEnd, SpeechRejected, SpeechStart } from "./segments.js";
export type { Stream, StreamOptions } from "./stream.js";
