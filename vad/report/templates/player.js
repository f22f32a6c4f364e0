"use strict";

// Plays a sound that the page holds, or the recording's own file. Times count from the start of the recording.
class Player {
  constructor(view) {
    this.origin = view.sound ? view.start : 0;
    this.audio = view.sound || view.link ? new Audio() : null;
    this.duration = view.start + view.duration;
    this.waiting = view.start;
    if (view.sound) {
      this.audio.src = URL.createObjectURL(new Blob([unpack(view.sound, Uint8Array)], { type: "audio/ogg" }));
    } else if (view.link) {
      this.audio.preload = "none"; // a page may have hundreds
      this.audio.src = view.link;
    }
  }

  get playing() {
    return this.audio !== null && !this.audio.paused;
  }

  get time() {
    return this.audio === null ? this.waiting : this.audio.currentTime + this.origin;
  }

  set time(seconds) {
    this.waiting = seconds;
    if (this.audio !== null) this.audio.currentTime = Math.max(0, seconds - this.origin);
  }
}
