import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { changedOptions, DEFAULT_OPTIONS, Segmenter } from "../dist/index.js";

const vectors = JSON.parse(readFileSync(new URL("../../tests/golden/segmenter.json", import.meta.url), "utf8"));

const camelCase = (name) => name.replace(/_(.)/g, (_, letter) => letter.toUpperCase());
const probabilitiesOf = (drawing) => Array.from(drawing, (c) => ({ ".": 0, "#": 1 })[c] ?? Number(c) / 10);

function segmenterOf({ options, confirm_start, delay }) {
  const named = Object.fromEntries(Object.entries(options).map(([name, value]) => [camelCase(name), value]));
  return new Segmenter(changedOptions(DEFAULT_OPTIONS, named), vectors.frame_duration, confirm_start, delay);
}

function eventsOf({ drawing, duration, ...settings }, blockLength) {
  const segmenter = segmenterOf(settings);
  const probabilities = probabilitiesOf(drawing);
  const events = [];
  for (let first = 0; first < probabilities.length; first += blockLength) {
    events.push(...segmenter.feed(probabilities.slice(first, first + blockLength)));
  }
  return [...events, ...segmenter.finish(duration)].map((event) => [
    event.kind,
    ...[event.segment?.start ?? event.time, event.time, event.decidedAt].map((time) => Number(time.toFixed(9))),
  ]);
}

for (const blockLength of [1, 7, Infinity]) {
  test(`the events are those of the Python package, in blocks of ${blockLength} frames`, () => {
    for (const vector of vectors.cases) {
      assert.deepEqual(eventsOf(vector, blockLength), vector.events, JSON.stringify(vector));
    }
  });
}

test("a finished segmenter begins a new recording", () => {
  const vector = vectors.cases.find(({ events }) => events.length > 4);
  const segmenter = segmenterOf(vector);
  const once = () => [...segmenter.feed(probabilitiesOf(vector.drawing)), ...segmenter.finish(vector.duration)];
  assert.deepEqual(once(), once());
});

test("options out of range are refused, and a set negThreshold keeps its distance", () => {
  const changed = (changes, base = DEFAULT_OPTIONS) => changedOptions(base, changes);
  for (const wrong of [{ threshold: 1.1 }, { threshold: NaN }, { negThreshold: 0.6 }, { speechPadMs: Infinity }]) {
    assert.throws(() => changed(wrong), RangeError, JSON.stringify(wrong));
  }
  assert.throws(() => new Segmenter(changed({ maxSpeechDurationS: 0.05 }), 0.02), RangeError);
  assert.equal(changed({ threshold: 0.8 }, changed({ negThreshold: 0.4 })).negThreshold.toFixed(6), "0.700000");
});
