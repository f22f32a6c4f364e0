"use strict";

// The lanes of a timeline, painted on a canvas. A lane is {top, height}; a frame is what all lanes share:
// {context, left, width, start, end, colours}, with times in seconds from the start of the recording.

const FONT = "12px system-ui, sans-serif";

// From the faintest to the loudest, the same in light and dark mode.
const PALETTE = makePalette([
  [0, 0, 8], [40, 12, 84], [114, 31, 109], [188, 55, 84], [241, 105, 37], [251, 180, 34], [252, 250, 180],
]);

function makePalette(stops) {
  const palette = new Uint32Array(256);
  for (let i = 0; i < 256; i++) {
    const place = (i / 255) * (stops.length - 1);
    const before = Math.min(Math.floor(place), stops.length - 2);
    const [r, g, b] = stops[before].map((value, c) => value + (place - before) * (stops[before + 1][c] - value));
    palette[i] = (255 << 24) | (Math.round(b) << 16) | (Math.round(g) << 8) | Math.round(r);
  }
  return palette;
}

function xOf(frame, time) {
  return frame.left + ((time - frame.start) / (frame.end - frame.start)) * frame.width;
}

function colours() {
  const style = getComputedStyle(document.documentElement);
  const names = ["paper", "panel", "line", "ink", "soft", "wave", "detected", "reference", "missed", "false"];
  return Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
}

function label(frame, text, x, y, align = "left", colour = frame.colours.soft) {
  const { context } = frame;
  context.font = FONT;
  context.fillStyle = colour;
  context.textAlign = align;
  context.textBaseline = "middle";
  context.fillText(text, x, y);
}

// A title in the corner of a lane, readable over any drawing.
function title(frame, lane, text) {
  const { context, colours } = frame;
  context.font = FONT;
  context.globalAlpha = 0.8;
  context.fillStyle = colours.paper;
  context.fillRect(frame.left, lane.top, context.measureText(text).width + 12, 18);
  context.globalAlpha = 1;
  label(frame, text, frame.left + 6, lane.top + 9, "left", colours.ink);
}

function gridLine(frame, y, text) {
  const { context } = frame;
  context.strokeStyle = frame.colours.line;
  context.beginPath();
  context.moveTo(frame.left, Math.round(y) + 0.5);
  context.lineTo(frame.left + frame.width, Math.round(y) + 0.5);
  context.stroke();
  label(frame, text, frame.left - 6, y, "right");
}

function paintMarks(frame, lane, marks, alpha = 1) {
  const { context } = frame;
  context.globalAlpha = alpha;
  for (const [kind, segments] of Object.entries(marks)) {
    context.fillStyle = frame.colours[kind];
    for (const [start, end] of segments) {
      if (end <= frame.start || start >= frame.end) continue;
      const left = Math.max(xOf(frame, start), frame.left);
      const right = Math.min(xOf(frame, end), frame.left + frame.width);
      // Adjacent segments keep a gap, and the shortest segment stays visible.
      context.fillRect(left, lane.top, Math.max(right - left - (right - left > 4 ? 1 : 0), 1), lane.height);
    }
  }
  context.globalAlpha = 1;
}

function paintWaveform(frame, lane, extremes, origin) {
  const { context } = frame;
  const middle = lane.top + lane.height / 2;
  const scale = (lane.height / 2 - 2) / 127;
  context.fillStyle = frame.colours.wave;
  extremes.each(frame.start - origin, frame.end - origin, frame.width, (pixel, low, high) => {
    context.fillRect(frame.left + pixel, middle - high * scale, 1, Math.max(1, (high - low) * scale));
  });
}

// Filled from below: 0 is the bottom of the lane, 255 its top.
function paintLevel(frame, lane, extremes, origin) {
  const { context } = frame;
  context.fillStyle = frame.colours.wave;
  extremes.each(frame.start - origin, frame.end - origin, frame.width, (pixel, low, high) => {
    const height = (high / 255) * lane.height;
    context.fillRect(frame.left + pixel, lane.top + lane.height - height, 1, height);
  });
}

function paintSpectrogram(frame, lane, spectrogram, origin) {
  const { context } = frame;
  const image = spectrogram.image(frame.start - origin, frame.end - origin, frame.width, PALETTE);
  const canvas = document.createElement("canvas");
  canvas.width = image.width;
  canvas.height = image.height;
  canvas.getContext("2d").putImageData(image, 0, 0);
  context.drawImage(canvas, frame.left, lane.top, frame.width, lane.height);
}

// Labels beside their bands.
function paintHertz(frame, lane, centres) {
  for (const hertz of [500, 1000, 2000, 4000, 8000]) {
    const above = centres.findIndex((centre) => centre >= hertz);
    if (above < 1) continue;
    const band = above - (centres[above] - hertz) / (centres[above] - centres[above - 1]);
    const y = lane.top + lane.height * (1 - (band + 0.5) / centres.length);
    label(frame, hertz < 1000 ? `${hertz} Hz` : `${hertz / 1000} kHz`, frame.left - 6, y, "right");
  }
}

function paintProbability(frame, lane, extremes, thresholds, origin) {
  const { context } = frame;
  const yOf = (probability) => lane.top + 4 + (lane.height - 8) * (1 - probability);
  for (const value of [0, 0.5, 1]) gridLine(frame, yOf(value), value.toFixed(1));
  context.fillStyle = frame.colours.detected;
  let before = null;
  extremes.each(frame.start - origin, frame.end - origin, frame.width, (pixel, low, high) => {
    // Draw a step to the next frame as a line, without a gap.
    const least = before === null ? low : Math.min(low, before.high);
    const greatest = before === null ? high : Math.max(high, before.low);
    const top = yOf(greatest / 255) - 1;
    context.fillRect(frame.left + pixel, top, 1, Math.max(2, yOf(least / 255) + 1 - top));
    before = { low, high };
  });
  context.strokeStyle = frame.colours.ink;
  context.setLineDash([5, 4]);
  for (const threshold of thresholds) {
    context.beginPath();
    context.moveTo(frame.left, yOf(threshold));
    context.lineTo(frame.left + frame.width, yOf(threshold));
    context.stroke();
    context.setLineDash([2, 4]); // the second threshold ends speech
  }
  context.setLineDash([]);
}

const TIME_STEPS = [
  0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400,
];

function clock(seconds, decimals = 0) {
  const ticks = Math.round(Math.max(seconds, 0) * 10 ** decimals);
  const whole = Math.floor(ticks / 10 ** decimals);
  const hours = Math.floor(whole / 3600);
  const minutes = String(Math.floor(whole / 60) % 60).padStart(hours ? 2 : 1, "0");
  const rest = String(whole % 60).padStart(2, "0");
  const fraction = decimals ? `.${String(ticks % 10 ** decimals).padStart(decimals, "0")}` : "";
  return `${hours ? `${hours}:` : ""}${minutes}:${rest}${fraction}`;
}

function paintTimes(frame, lane) {
  const { context } = frame;
  const room = (64 / frame.width) * (frame.end - frame.start); // for a label
  const step = TIME_STEPS.find((one) => one >= room) ?? 28800;
  const decimals = step < 0.1 ? 2 : step < 1 ? 1 : 0;
  context.strokeStyle = frame.colours.soft;
  for (let tick = Math.ceil(frame.start / step); tick * step <= frame.end; tick++) {
    const x = Math.round(xOf(frame, tick * step)) + 0.5;
    context.beginPath();
    context.moveTo(x, lane.top);
    context.lineTo(x, lane.top + 5);
    context.stroke();
    const text = clock(tick * step, decimals);
    const half = context.measureText(text).width / 2 + 4;
    if (x + half < frame.left + frame.width) label(frame, text, Math.max(x, frame.left + half), lane.top + 14, "center");
  }
  label(frame, frame.end >= 3600 ? "h:min:s" : "min:s", frame.left - 6, lane.top + 14, "right");
}

// The lanes of a view from top to bottom, {name, height, paint(frame, lane)}: one for each signal and each set of marks.
function lanesOf(view, { waveform, spectrogram, level, probability }, shaded) {
  const lanes = [];
  const shade = (frame, lane) => shaded.forEach((marks) => paintMarks(frame, lane, marks, 0.2));
  if (waveform) {
    const { peak } = view.waveform;
    lanes.push({ name: "waveform", height: 100, paint(frame, lane) {
      shade(frame, lane);
      gridLine(frame, lane.top + 50, "0");
      label(frame, peak.toPrecision(2), frame.left - 6, lane.top + 10, "right");
      label(frame, `-${peak.toPrecision(2)}`, frame.left - 6, lane.top + 90, "right");
      paintWaveform(frame, lane, waveform, view.start);
      title(frame, lane, `waveform, peak ${peak > 0 ? (20 * Math.log10(peak)).toFixed(1) : "-∞"} dBFS`);
    } });
  }
  if (spectrogram) {
    const { centres, range } = view.logmel;
    lanes.push({ name: "log-mel spectrogram", height: 140, paint(frame, lane) {
      paintSpectrogram(frame, lane, spectrogram, view.start);
      paintHertz(frame, lane, centres);
      title(frame, lane, `log-mel, ${range.map((decibels) => decibels.toFixed(0)).join(" to ")} dBFS`);
    } });
  }
  if (level) {
    const { range } = view.level;
    lanes.push({ name: "level", height: 56, paint(frame, lane) {
      shade(frame, lane);
      paintLevel(frame, lane, level, view.start);
      label(frame, `${range[1]} dBFS`, frame.left - 6, lane.top + 8, "right");
      label(frame, range[0], frame.left - 6, lane.top + lane.height - 8, "right");
    } });
  }
  if (probability) {
    lanes.push({ name: "probability of speech", height: 110, paint(frame, lane) {
      paintProbability(frame, lane, probability, view.thresholds, view.start);
      title(frame, { top: lane.top + 10 }, "probability of speech"); // under the line of 1
    } });
  }
  for (const { name, marks } of view.lanes) {
    lanes.push({ name, height: 22, paint(frame, lane) {
      paintMarks(frame, { top: lane.top + 3, height: lane.height - 5 }, marks);
      label(frame, name, frame.left - 6, lane.top + lane.height / 2, "right");
    } });
  }
  return lanes;
}
