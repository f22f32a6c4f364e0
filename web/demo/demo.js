import { Detector, MicVAD, MODEL_NAMES } from "../dist/index.js";

const SHOWN_S = 10; // of the microphone
const MIN_DB = -60;
const SAMPLE_RATE = 16000;

const $ = (id) => document.getElementById(id);
const choices = ["model", "point", "file"].map($);

/** What is drawn: a probability and a level per frame of `frameS` seconds, and the segments; an open one has no end. */
let view;
let player;

function clear(live) {
  view = { live, frameS: 0.02, probabilities: [], levels: [], segments: [] };
  $("segments").replaceChildren();
  $("error").textContent = "";
  setLevel(MIN_DB, false);
}

function levelOf(samples) {
  const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / Math.max(1, samples.length);
  return Math.max(MIN_DB, 10 * Math.log10(power + 1e-12));
}

function setLevel(level, speech) {
  $("meter").setAttribute("aria-valuenow", level.toFixed(0));
  $("meter").classList.toggle("speech", speech);
  $("meter").firstElementChild.style.width = `${100 * (1 - level / MIN_DB)}%`;
}

function draw() {
  const canvas = $("timeline");
  const scale = devicePixelRatio;
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  if (canvas.width !== width * scale || canvas.height !== height * scale) {
    [canvas.width, canvas.height] = [width * scale, height * scale];
  }
  const paint = canvas.getContext("2d");
  paint.setTransform(scale, 0, 0, scale, 0, 0);
  paint.clearRect(0, 0, width, height);
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name);
  const { frameS } = view;
  const now = view.probabilities.length * frameS;
  const shown = view.live ? SHOWN_S : Math.max(now, frameS);
  const begin = view.live ? Math.max(0, now - SHOWN_S) : 0;
  const x = (time) => ((time - begin) / shown) * width;
  paint.fillStyle = colour("--detected");
  for (const { start, end = now } of view.segments) {
    paint.globalAlpha = 0.18;
    paint.fillRect(x(start), 0, x(end) - x(start), height);
    paint.globalAlpha = 1;
    paint.fillRect(x(start), height - 4, x(end) - x(start), 4);
  }
  const first = Math.floor(begin / frameS);
  const step = Math.max(1, Math.floor(shown / frameS / width)); // frames per pixel
  paint.fillStyle = colour("--wave");
  paint.strokeStyle = colour("--ink");
  paint.beginPath();
  for (let frame = first; frame < view.probabilities.length; frame += step) {
    const bar = (1 - Math.max(...view.levels.slice(frame, frame + step)) / MIN_DB) * height;
    paint.globalAlpha = 0.5;
    paint.fillRect(x(frame * frameS), height - bar, Math.max(1, (frameS / shown) * width - 0.5), bar);
    paint.lineTo(x((frame + 0.5) * frameS), (1 - view.probabilities[frame]) * (height - 2) + 1);
  }
  paint.globalAlpha = 1;
  paint.lineWidth = 1.5;
  paint.stroke();
}

function addRow({ start, end }, audio) {
  const row = document.createElement("tr");
  for (const value of [start, end, end - start]) row.insertCell().textContent = value.toFixed(2);
  const play = document.createElement("button");
  play.type = "button";
  play.textContent = "Play";
  play.onclick = () => {
    player ??= new AudioContext();
    const buffer = player.createBuffer(1, audio.length, SAMPLE_RATE);
    buffer.copyToChannel(audio, 0);
    const source = player.createBufferSource();
    source.buffer = buffer;
    source.connect(player.destination);
    source.start();
  };
  row.insertCell().append(play);
  $("segments").prepend(row);
}

function tellLoaded(seconds) {
  const entries = [...performance.getEntriesByType("resource"), ...performance.getEntriesByType("navigation")];
  const sizes = { LiteRT: 0, models: 0, code: 0 };
  const files = new Map(entries.map(({ name, decodedBodySize }) => [name, decodedBodySize]));
  for (const [name, size] of files) {
    const kind = /litert_/.test(name) ? "LiteRT" : /\.(tflite|json)$/.test(name) ? "models" : "code";
    sizes[kind] += size;
  }
  const megabytes = (bytes) => `${(bytes / 1e6).toFixed(2)} MB`;
  const parts = Object.entries(sizes).map(([kind, bytes]) => `${kind} ${megabytes(bytes)}`);
  const all = Object.values(sizes).reduce((sum, bytes) => sum + bytes);
  $("loaded").textContent = `This page loaded ${megabytes(all)}: ${parts.join(", ")}. Start: ${seconds.toFixed(2)} s.`;
}

/** Makes a detector or a microphone with the choices of the page, and tells what that took. */
async function load(make) {
  const began = performance.now();
  const made = await make({ model: $("model").value, operatingPoint: $("point").value });
  tellLoaded((performance.now() - began) / 1000);
  return made;
}

function makeMicrophone(options) {
  return MicVAD.new({
    ...options,
    onFrameProcessed({ isSpeech }, frame) {
      view.frameS = frame.length / SAMPLE_RATE;
      view.probabilities.push(isSpeech);
      view.levels.push(levelOf(frame));
      setLevel(view.levels.at(-1), view.segments.at(-1)?.end === undefined && view.segments.length > 0);
    },
    onSpeechStart: ({ time }) => view.segments.push({ start: time }),
    onSpeechEnd(audio, segment) {
      Object.assign(view.segments.at(-1), segment);
      addRow(segment, audio);
    },
    onMisfire: () => view.segments.pop(),
  });
}

let microphone = null;

async function listen() {
  clear(true);
  try {
    microphone = await load(makeMicrophone);
    await microphone.start();
  } catch (error) {
    await stop();
    throw error;
  }
  $("listen").textContent = "Stop";
  const paint = () => {
    draw();
    if (microphone) requestAnimationFrame(paint);
  };
  paint();
}

async function stop() {
  const stopped = microphone;
  microphone = null;
  $("listen").textContent = "Listen";
  await stopped?.destroy();
  draw();
}

async function open(file) {
  clear(false);
  const context = new OfflineAudioContext(1, 1, SAMPLE_RATE);
  const buffer = await context.decodeAudioData(await file.arrayBuffer()); // at SAMPLE_RATE
  const channels = Array.from({ length: buffer.numberOfChannels }, (_, channel) => buffer.getChannelData(channel));
  const samples = channels[0].map((_, i) => channels.reduce((sum, channel) => sum + channel[i], 0) / channels.length);
  const detector = await load((options) => Detector.load(options));
  const { probabilities, segments } = await detector.process(samples, SAMPLE_RATE);
  const length = detector.frameLength;
  view.frameS = length / SAMPLE_RATE;
  detector.destroy();
  view.probabilities = [...probabilities];
  view.levels = view.probabilities.map((_, t) => levelOf(samples.subarray(t * length, (t + 1) * length)));
  view.segments = segments;
  for (const segment of segments) {
    addRow(segment, samples.slice(segment.start * SAMPLE_RATE, segment.end * SAMPLE_RATE));
  }
  draw();
}

/** Runs one action at a time, and shows what goes wrong. */
async function run(action) {
  for (const control of [$("listen"), ...choices]) control.disabled = true;
  try {
    await action();
  } catch (error) {
    $("error").textContent = error.name === "NotAllowedError" ? "The browser refused the microphone." : error.message;
  }
  $("listen").disabled = false;
  for (const control of choices) control.disabled = microphone !== null;
}

$("listen").onclick = () => run(microphone ? stop : listen);
$("file").onchange = ({ target }) => target.files.length && run(() => open(target.files[0]));
$("model").append(...MODEL_NAMES.map((name) => new Option(name)));
addEventListener("resize", draw);
clear(true);
draw();
