"use strict";

// Numbers as Python packed them, and coarser copies of them for zooming out.

function unpack(text, Type) {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return new Type(bytes.buffer);
}

function clamp(value, low, high) {
  return Math.min(Math.max(value, low), high);
}

// Give the coarsest level whose steps are at most the duration, or else the finest.
function levelFor(levels, duration) {
  return levels.findLast((level) => level.step <= duration) ?? levels[0];
}

// The least and the greatest value of every time step; each level has a quarter of the steps of the level before.
class Extremes {
  constructor(low, high, step) {
    this.levels = [{ low, high, step }];
    for (let last = this.levels[0]; last.low.length > 500; last = this.levels.at(-1)) {
      this.levels.push(Extremes.quarter(last));
    }
  }

  static quarter({ low, high, step }) {
    const length = Math.ceil(low.length / 4);
    const coarse = { low: low.slice(0, length), high: high.slice(0, length), step: 4 * step };
    for (let i = 0; i < length; i++) {
      let least = low[4 * i];
      let greatest = high[4 * i];
      for (let j = 4 * i + 1; j < Math.min(4 * i + 4, low.length); j++) {
        least = Math.min(least, low[j]);
        greatest = Math.max(greatest, high[j]);
      }
      coarse.low[i] = least;
      coarse.high[i] = greatest;
    }
    return coarse;
  }

  // Call draw(pixel, least, greatest) for every pixel of [start, end) that has values; times from 0.
  each(start, end, pixels, draw) {
    const duration = (end - start) / pixels;
    const { low, high, step } = levelFor(this.levels, duration);
    for (let pixel = 0; pixel < pixels; pixel++) {
      const first = Math.floor((start + pixel * duration) / step);
      const last = Math.max(first + 1, Math.floor((start + (pixel + 1) * duration) / step));
      if (first < 0 || first >= low.length) continue;
      let least = low[first];
      let greatest = high[first];
      for (let i = first + 1; i < Math.min(last, low.length); i++) {
        least = Math.min(least, low[i]);
        greatest = Math.max(greatest, high[i]);
      }
      draw(pixel, least, greatest);
    }
  }
}

// Columns of bands; each level has half the columns of the level before: means of pairs.
class Spectrogram {
  constructor(levels, bands, step) {
    this.bands = bands;
    this.levels = [{ values: levels, columns: levels.length / bands, step }];
    for (let last = this.levels[0]; last.columns > 500; last = this.levels.at(-1)) {
      this.levels.push(this.half(last));
    }
  }

  half({ values, columns, step }) {
    const { bands } = this;
    const length = Math.ceil(columns / 2);
    const coarse = new Uint8Array(length * bands);
    for (let column = 0; column < length; column++) {
      const other = Math.min(2 * column + 1, columns - 1);
      for (let band = 0; band < bands; band++) {
        coarse[column * bands + band] = (values[2 * column * bands + band] + values[other * bands + band]) / 2;
      }
    }
    return { values: coarse, columns: length, step: 2 * step };
  }

  // One pixel a column and band, low bands at the bottom, in the colours of the palette; transparent outside.
  image(start, end, pixels, palette) {
    const { bands } = this;
    const duration = (end - start) / pixels;
    const { values, columns, step } = levelFor(this.levels, duration);
    const image = new ImageData(pixels, bands);
    const target = new Uint32Array(image.data.buffer);
    for (let pixel = 0; pixel < pixels; pixel++) {
      const column = Math.floor((start + (pixel + 0.5) * duration) / step);
      if (column < 0 || column >= columns) continue;
      for (let band = 0; band < bands; band++) {
        target[(bands - 1 - band) * pixels + pixel] = palette[values[column * bands + band]];
      }
    }
    return image;
  }
}

// Unpack the signals that a view has.
function signalsOf({ waveform, logmel, probability, level }) {
  const line = ({ steps, frameDuration }) => {
    const values = unpack(steps, Uint8Array);
    return new Extremes(values, values, frameDuration);
  };
  return {
    waveform: waveform && new Extremes(
      unpack(waveform.low, Int8Array), unpack(waveform.high, Int8Array), waveform.binDuration,
    ),
    spectrogram: logmel && new Spectrogram(
      unpack(logmel.levels, Uint8Array), logmel.centres.length, logmel.columnDuration,
    ),
    probability: probability && line(probability),
    level: level && line(level),
  };
}
