/** Collects what an input plays into mono blocks, and sends them to the page. Runs in the browser's audio thread. */
class Capture extends AudioWorkletProcessor {
  constructor({ processorOptions }) {
    super();
    this.block = new Float32Array(processorOptions.blockLength);
    this.filled = 0;
  }

  process([channels]) {
    const length = channels[0]?.length ?? 0; // no channel: nothing is connected yet
    for (let i = 0; i < length; i++) {
      let sum = 0;
      for (const channel of channels) sum += channel[i];
      this.block[this.filled++] = sum / channels.length;
      if (this.filled === this.block.length) {
        this.port.postMessage(this.block);
        this.filled = 0;
      }
    }
    return true;
  }
}

registerProcessor("openvad-capture", Capture);
