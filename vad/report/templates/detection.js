"use strict";

// The page of `vad detect --report`.

function fact(value, name) {
  return element("div", { className: "tile" }, element("b", { textContent: value }), element("span", { textContent: name }));
}

function segmentTable(timeline, segments) {
  const body = element("tbody");
  const rows = segments.map(([start, end], index) => {
    const cells = [index + 1, clock(start, 2), clock(end, 2), (end - start).toFixed(2)];
    const row = element("tr", { className: "link" }, ...cells.map((text) => element("td", { textContent: text })));
    row.addEventListener("click", () => timeline.use(() => timeline.seek(start)));
    body.append(row);
    return row;
  });
  let current = null;
  timeline.onpoint = (time) => {
    const index = segments.findLastIndex(([start, end]) => start <= time + 1e-3 && time < end);
    if (rows[index] === current) return;
    current?.classList.remove("current");
    current = rows[index];
    current?.classList.add("current");
    const box = body.closest(".tall");
    if (current && box) box.scrollTop = current.offsetTop - box.clientHeight / 2;
  };
  const heads = ["#", "start", "end", "seconds"].map((text) => element("th", { textContent: text }));
  const table = element("table", {}, element("thead", {}, element("tr", {}, ...heads)), body);
  return element("div", { className: "scroll tall framed" }, table);
}

const shown = JSON.parse(document.getElementById("data").textContent);
const segments = shown.view.lanes[0].marks.detected;
const speech = segments.reduce((sum, [start, end]) => sum + end - start, 0);
const page = document.getElementById("main");
page.append(
  element("h1", { textContent: shown.name }),
  element("p", { textContent: `Speech as found by the model ${shown.model}.` }),
);
const timeline = new Timeline(page, shown.view);
page.append(keyHelp("segment"));
page.append(element(
  "div", { className: "tiles" },
  fact(clock(shown.view.duration, 1), "length"),
  fact(segments.length, segments.length === 1 ? "segment" : "segments"),
  fact(`${speech.toFixed(1)} s`, "speech"),
  fact(`${((100 * speech) / Math.max(shown.view.duration, 1e-9)).toFixed(1)} %`, "of the recording"),
  fact(shown.view.thresholds.map((value) => value.toFixed(2)).join(" / "), "threshold on / off"),
));
if (segments.length) page.append(element("h2", { textContent: "Segments" }), segmentTable(timeline, segments));
