/** The latest samples of a stream. */
export class AudioHistory {
  private samples = new Float32Array(1 << 16);
  private first = 0; // the position in the stream of samples[0]
  private length = 0;

  /** Keeps the next samples. */
  push(next: Float32Array): void {
    if (this.length + next.length > this.samples.length) {
      const larger = new Float32Array(2 * (this.length + next.length));
      larger.set(this.samples.subarray(0, this.length));
      this.samples = larger;
    }
    this.samples.set(next, this.length);
    this.length += next.length;
  }

  /** A copy of the samples between two positions in the stream, as far as they are kept. */
  read(begin: number, end: number): Float32Array {
    return this.samples.slice(Math.max(0, begin - this.first), Math.min(this.length, end - this.first));
  }

  /** Lets the samples before a position go. It moves samples only when half of them can go. */
  forget(before: number): void {
    const gone = Math.min(before - this.first, this.length);
    if (gone * 2 < this.samples.length) return;
    this.samples.copyWithin(0, gone, this.length);
    this.first += gone;
    this.length -= gone;
  }
}
