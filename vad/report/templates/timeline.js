"use strict";

// A part of a recording to look at and listen to: an overview, lanes, and a cursor.

class Timeline {
  static all = [];
  static active = null; // the keys act on this one

  constructor(host, view) {
    this.view = view;
    this.begin = view.start;
    this.finish = view.start + view.duration;
    this.start = this.begin;
    this.end = this.finish;
    this.signals = signalsOf(view);
    this.shaded = view.shaded.map((lane) => view.lanes[lane].marks);
    this.lanes = lanesOf(view, this.signals, this.shaded);
    this.stops = this.shaded.flatMap((marks) => Object.values(marks).flat()).sort((a, b) => a[0] - b[0]);
    this.player = new Player(view);
    this.build(host);
    Timeline.all.push(this);
    Timeline.active ??= this;
  }

  build(host) {
    const button = (text, hint, act) => {
      const made = element("button", { type: "button", textContent: text, title: hint });
      made.addEventListener("click", (event) => {
        this.use(act);
        if (event.detail > 0) made.blur(); // after a mouse click, the space key still means play and pause
      });
      return made;
    };
    this.playButton = button("Play", "space", () => this.toggle());
    this.playButton.disabled = this.player.audio === null;
    this.readout = element("span", { className: "readout" });
    this.notice = element("p", { className: "notice", hidden: true });
    const tools = element(
      "div", { className: "tools" }, this.playButton,
      button("Previous", "left arrow", () => this.jump(-1)),
      button("Next", "right arrow", () => this.jump(1)),
      button("Zoom in", "+", () => this.zoom(0.5)),
      button("Zoom out", "-", () => this.zoom(2)),
      button("All", "0", () => this.show(this.begin, this.finish)),
      this.readout,
    );
    const detail = this.stage(this.lanes.map(({ name }) => name).join(", "), (time) => this.seek(time));
    this.detail = detail;
    // A timeline without a waveform is one of many, so it is small.
    this.overview = this.signals.waveform ? this.stage("the whole length", (time) => this.centre(time)) : null;
    this.stages = [this.overview, detail].filter((stage) => stage !== null);
    const className = this.overview ? "timeline" : "timeline small";
    this.host = element("div", { className }, tools, ...this.stages.map(({ host }) => host), this.notice);
    host.append(this.host);
    detail.canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    detail.canvas.addEventListener("pointermove", (event) => this.showTime(this.timeAt(detail, event)));
    detail.canvas.addEventListener("pointerleave", () => this.showTime(this.player.time));
    const { audio } = this.player;
    audio?.addEventListener("play", () => this.follow());
    audio?.addEventListener("pause", () => (this.playButton.textContent = "Play"));
    audio?.addEventListener("error", () => {
      audio.pause();
      this.notice.textContent = "The audio cannot be played: the file was moved, or this browser does not know its format.";
      this.notice.hidden = false;
    });
    new ResizeObserver(() => requestAnimationFrame(() => this.draw())).observe(detail.host);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
  }

  // A canvas with a cursor over it. A click acts on its time; dragging moves the view.
  stage(description, act) {
    const canvas = element("canvas");
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", description);
    const cursor = element("div", { className: "cursor" });
    const stage = { canvas, cursor, host: element("div", { className: "stage" }, canvas, cursor) };
    let held = null;
    canvas.addEventListener("pointerdown", (event) => {
      held = { x: event.clientX, start: this.start, moved: false };
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (held === null) return;
      const distance = event.clientX - held.x;
      held.moved ||= Math.abs(distance) > 4;
      if (!held.moved) return;
      if (stage === this.overview) act(this.timeAt(stage, event));
      else this.pan(held.start - (distance / stage.frame.width) * (this.end - this.start));
    });
    canvas.addEventListener("pointerup", (event) => {
      if (held !== null && !held.moved) this.use(() => act(this.timeAt(stage, event)));
      held = null;
    });
    canvas.addEventListener("pointercancel", () => (held = null));
    return stage;
  }

  use(act) {
    Timeline.active?.host.classList.remove("active");
    this.host.classList.add("active");
    Timeline.active = this;
    act();
  }

  timeAt(stage, event) {
    const { frame } = stage;
    const share = (event.clientX - stage.canvas.getBoundingClientRect().left - frame.left) / frame.width;
    return clamp(frame.start + share * (frame.end - frame.start), this.begin, this.finish);
  }

  toggle() {
    const { audio } = this.player;
    if (audio === null) return;
    if (this.player.playing) {
      audio.pause();
      return;
    }
    for (const other of Timeline.all) other.player.audio?.pause();
    if (this.player.time >= this.finish - 0.01) this.player.time = this.begin;
    audio.play().catch(() => {}); // the error event shows the notice
  }

  follow() {
    this.playButton.textContent = "Pause";
    const step = () => {
      const { time } = this.player;
      if (time > this.end || time < this.start) this.pan(time);
      this.point();
      if (this.player.playing) requestAnimationFrame(step);
    };
    step();
  }

  seek(time) {
    this.player.time = clamp(time, this.begin, this.finish);
    if (time < this.start || time > this.end) this.centre(time);
    this.point();
  }

  // Go to the start of the next or previous shaded segment.
  jump(direction) {
    const now = this.player.time;
    const stop = direction > 0
      ? this.stops.find(([start]) => start > now + 0.01)
      : this.stops.findLast(([start]) => start < now - (this.player.playing ? 0.5 : 0.01));
    if (stop) this.seek(stop[0]);
  }

  show(start, end) {
    const length = clamp(end - start, Math.min(0.1, this.view.duration), this.view.duration);
    this.start = clamp(start, this.begin, this.finish - length);
    this.end = this.start + length;
    this.draw();
  }

  pan(start) {
    this.show(start, start + this.end - this.start);
  }

  centre(time) {
    this.pan(time - (this.end - this.start) / 2);
  }

  // Zoom around the cursor, or around the middle if the cursor is out of view.
  zoom(factor, about = this.player.time) {
    const still = about >= this.start && about <= this.end ? about : (this.start + this.end) / 2;
    this.show(still - (still - this.start) * factor, still + (this.end - still) * factor);
  }

  wheel(event) {
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      this.zoom(1.002 ** event.deltaY, this.timeAt(this.detail, event));
    } else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      event.preventDefault();
      const distance = event.shiftKey && event.deltaX === 0 ? event.deltaY : event.deltaX;
      this.pan(this.start + (distance / this.detail.frame.width) * (this.end - this.start));
    }
  }

  prepare(stage, height, start, end) {
    const { canvas, host } = stage;
    const width = host.clientWidth;
    const density = devicePixelRatio || 1;
    canvas.width = Math.round(width * density);
    canvas.height = Math.round(height * density);
    canvas.style.height = `${height}px`;
    const context = canvas.getContext("2d");
    context.scale(density, density);
    const left = 68;
    stage.frame = { context, left, width: Math.max(10, Math.floor(width - left - 8)), start, end, colours: colours() };
    return stage.frame;
  }

  draw() {
    if (this.detail.host.clientWidth === 0) return;
    if (this.overview) this.drawOverview();
    this.drawDetail();
    this.point();
  }

  drawOverview() {
    const frame = this.prepare(this.overview, 44, this.begin, this.finish);
    const lane = { top: 0, height: 44 };
    for (const marks of this.shaded) paintMarks(frame, lane, marks, 0.3);
    paintWaveform(frame, lane, this.signals.waveform, this.begin);
    const [left, right] = [xOf(frame, this.start), xOf(frame, this.end)];
    frame.context.globalAlpha = 0.65;
    frame.context.fillStyle = frame.colours.paper;
    frame.context.fillRect(frame.left, 0, left - frame.left, 44);
    frame.context.fillRect(right, 0, frame.left + frame.width - right, 44);
    frame.context.globalAlpha = 1;
    frame.context.strokeStyle = frame.colours.ink;
    frame.context.strokeRect(left + 0.5, 0.5, Math.max(right - left - 1, 1), 43);
    label(frame, "all", frame.left - 6, 22, "right");
  }

  drawDetail() {
    const heights = this.lanes.map(({ height }) => height);
    const frame = this.prepare(this.detail, heights.reduce((sum, height) => sum + height, 24), this.start, this.end);
    let top = 0;
    for (const { height, paint } of this.lanes) {
      paint(frame, { top, height });
      top += height;
    }
    paintTimes(frame, { top, height: 24 });
  }

  // Move the cursors to the time of the player.
  point() {
    if (!this.detail.frame) {
      this.draw(); // it has not been in view yet
      return;
    }
    const { time } = this.player;
    for (const stage of this.stages) {
      const x = xOf(stage.frame, time);
      stage.cursor.hidden = x < stage.frame.left - 1 || x > stage.frame.left + stage.frame.width + 1;
      stage.cursor.style.left = `${x}px`;
    }
    this.showTime(time);
    this.onpoint?.(time);
  }

  showTime(time) {
    let text = `${clock(time, 2)} of ${clock(this.finish, 2)}`;
    if (this.signals.probability) {
      const { low, step } = this.signals.probability.levels[0];
      const value = low[Math.floor((time - this.begin) / step)];
      if (value !== undefined) text += `, probability ${(value / 255).toFixed(2)}`;
    }
    this.readout.textContent = text;
  }
}

const KEYS = {
  " ": (timeline) => timeline.toggle(),
  ArrowLeft: (timeline, event) => (event.shiftKey ? timeline.seek(timeline.player.time - 1) : timeline.jump(-1)),
  ArrowRight: (timeline, event) => (event.shiftKey ? timeline.seek(timeline.player.time + 1) : timeline.jump(1)),
  "+": (timeline) => timeline.zoom(0.5),
  "=": (timeline) => timeline.zoom(0.5),
  "-": (timeline) => timeline.zoom(2),
  0: (timeline) => timeline.show(timeline.begin, timeline.finish),
};

document.addEventListener("keydown", (event) => {
  const act = KEYS[event.key];
  const busy = event.ctrlKey || event.metaKey || event.altKey;
  const pressesButton = event.key === " " && event.target.closest?.("button");
  if (!act || busy || pressesButton || Timeline.active === null) return;
  event.preventDefault();
  act(Timeline.active, event);
});

function keyHelp(stop) {
  const key = (text) => element("kbd", { textContent: text });
  return element(
    "p", {}, key("space"), " plays and pauses, ", key("←"), " ", key("→"), ` go to the previous and next ${stop}, `,
    key("shift"), " with an arrow moves by a second, ", key("+"), " ", key("-"), " ", key("0"),
    " zoom. A click seeks; drag to move; the wheel zooms with ", key("ctrl"), ".",
  );
}
