/** All samples of some arrays in one. */
export function joined(arrays: readonly Float32Array[]): Float32Array<ArrayBuffer> {
  const all = new Float32Array(arrays.reduce((length, array) => length + array.length, 0));
  let position = 0;
  for (const array of arrays) {
    all.set(array, position);
    position += array.length;
  }
  return all;
}
