"use strict";

// The page of `vad prepare`.

function findingList(findings) {
  const items = findings.map(({ text, isProblem }) => element(
    "li", { className: isProblem ? "problem" : "", textContent: text },
  ));
  return element("ul", {}, ...items);
}

page.append(
  element("h1", { textContent: shown.title }),
  framedTable(shown.summary.heads, shown.summary.rows),
  explanation(
    "Speech dBFS: the median level of speech over the recordings; from, to: the lowest and the highest. " +
    "Over rest dB: how far speech lies above the rest of its recording, also the median.",
  ),
  heading("Findings"),
  shown.findings.length ? findingList(shown.findings) : explanation("Nothing to correct."),
  heading("Distributions"),
  element("div", { className: "charts small" }, ...shown.charts.map(drawChart)),
  heading(`Recordings (${shown.recordings.length} of ${shown.total})`),
  explanation(
    "Grey: the level from -90 to 0 dBFS. Green: speech by the labels. Check labels that start or end away from a rise or " +
    "fall of the level. The keys act on the recording used last.",
  ),
  keyHelp("label"),
);
for (const { name, about, view } of shown.recordings) {
  page.append(element("h3", { textContent: name }), explanation(about));
  new Timeline(page, view);
}
