"use strict";

// The page of `vad evaluate --report`.

const percent = (value) => `${(100 * value).toFixed(1)} %`;
const decimals = (digits) => (value) => value.toFixed(digits);
const milliseconds = (value) => `${Math.round(1000 * value)} ms`;
const lag = (value) => `${value > 0 ? "+" : ""}${milliseconds(value)}`;

// null: the figure does not exist, for lack of speech or of probabilities.
function written(value, form) {
  return value === null ? "–" : form(value);
}

const COLUMNS = [
  ["DetER", "detection_error_rate", percent],
  ["missed, s", "missed_seconds", decimals(1)],
  ["false, s", "false_alarm_seconds", decimals(1)],
  ["audio, s", "duration", decimals(1)],
  ["speech", "speech", percent],
  ["AUC", "auc", decimals(4)],
  ["AP", "average_precision", decimals(4)],
  ["balanced", "best_balanced_error", percent],
  ["ECE", "calibration_error", decimals(3)],
  ["onsets p90", "onset_p90", milliseconds],
  ["offsets p90", "offset_p90", milliseconds],
  ["pauses", "pause_recall", percent],
];

const TILES = [
  ["detection_error_rate", percent, "detection error rate (DetER): missed plus false seconds, per second of speech"],
  ["missed_seconds", (value) => `${value.toFixed(1)} s`, "of speech missed"],
  ["false_alarm_seconds", (value) => `${value.toFixed(1)} s`, "falsely detected as speech"],
  ["miss", percent, "of the speech frames missed"],
  ["false_alarm", percent, "of the other frames detected as speech"],
  ["auc", decimals(4), "area under the ROC curve (AUC)"],
  ["average_precision", decimals(4), "average precision (AP)"],
  ["calibration_error", decimals(3), "expected calibration error (ECE)"],
  ["onset_median", lag, "median lag of starts"],
  ["offset_median", lag, "median lag of ends"],
  ["pause_recall", percent, "of the pauses of 0.2 s and more detected"],
];

function table(head, rows) {
  const columns = COLUMNS.filter(([, field]) => shown.figures[field] !== null);
  const texts = rows.map((row) => [row.name, ...columns.map(([, field, form]) => written(row[field], form))]);
  return framedTable([head, ...columns.map(([text]) => text)], texts, "figures");
}

const count = shown.files.length === 1 ? "1 recording" : `${shown.files.length} recordings`;
const how = shown.options === null
  ? `The segments of ${shown.name}`
  : `The model ${shown.name} at the threshold ${shown.options.threshold}`;
page.append(
  element("h1", { textContent: `Evaluation of ${shown.name}` }),
  explanation(`${how}, on ${count}, ${clock(shown.figures.duration)} of audio, ${written(shown.figures.speech, percent)} of it speech.`),
  tiles(TILES
    .filter(([field]) => shown.figures[field] !== null)
    .map(([field, form, name]) => [form(shown.figures[field]), name])),
);
if (shown.charts.length) {
  page.append(heading("Curves"), element("div", { className: "charts" }, ...shown.charts.map(drawChart)));
}
page.append(
  heading("Recordings"),
  explanation(
    "The worst first, by the share of time that is missed or falsely detected as speech. Balanced: the lowest mean of " +
    "miss and false alarm over all thresholds. p90: nine of ten starts (ends) are this close to the reference.",
  ),
  table("recording", shown.files),
);
for (const [name, rows] of Object.entries(shown.groups)) page.append(heading(`By ${name}`), table(name, rows));
if (shown.excerpts.length) {
  page.append(
    heading("The worst excerpts"),
    explanation("Where reference and segments differ most. The arrow keys go from error to error in the excerpt used last."),
    keyHelp("error"),
  );
}
for (const { name, wrong, view } of shown.excerpts) {
  page.append(element("h3", { textContent: `${name}, ${clock(view.start, 1)} to ${clock(view.start + view.duration, 1)}: ${wrong.toFixed(1)} s wrong` }));
  new Timeline(page, view);
}
