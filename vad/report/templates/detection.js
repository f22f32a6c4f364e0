"use strict";

// The page of `vad detect --report`.

function segmentTable(timeline, segments) {
  const texts = segments.map(([start, end], index) => [index + 1, clock(start, 2), clock(end, 2), (end - start).toFixed(2)]);
  const frame = framedTable(["#", "start", "end", "seconds"], texts);
  const rows = [...frame.querySelectorAll("tbody tr")];
  rows.forEach((row, index) => {
    row.className = "link";
    row.addEventListener("click", () => timeline.use(() => timeline.seek(segments[index][0])));
  });
  let current = null;
  timeline.onpoint = (time) => {
    const index = segments.findLastIndex(([start, end]) => start <= time + 1e-3 && time < end);
    if (rows[index] === current) return;
    current?.classList.remove("current");
    current = rows[index];
    current?.classList.add("current");
    if (current) frame.scrollTop = current.offsetTop - frame.clientHeight / 2;
  };
  return frame;
}

const segments = shown.view.lanes[0].marks.detected;
const speech = segments.reduce((sum, [start, end]) => sum + end - start, 0);
page.append(
  element("h1", { textContent: shown.name }),
  explanation(`Speech detected by the model ${shown.model}.`),
);
const timeline = new Timeline(page, shown.view);
page.append(keyHelp("segment"));
page.append(tiles([
  [clock(shown.view.duration, 1), "length"],
  [segments.length, segments.length === 1 ? "segment" : "segments"],
  [`${speech.toFixed(1)} s`, "speech"],
  [`${((100 * speech) / Math.max(shown.view.duration, 1e-9)).toFixed(1)} %`, "of the recording"],
  [shown.view.thresholds.map((value) => value.toFixed(2)).join(" / "), "threshold on / off"],
]));
if (segments.length) page.append(heading("Segments"), segmentTable(timeline, segments));
