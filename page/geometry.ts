// What the page computes of features on the host: neighbours, and a map that turns as little as it can.

/** Rows with the mean taken off, of unit length. */
export function centredUnit(features: Float32Array, width: number): Float32Array<ArrayBuffer> {
  const count = features.length / width;
  const out = Float32Array.from(features);
  for (let c = 0; c < width; c++) {
    let mean = 0;
    for (let i = 0; i < count; i++) mean += out[i * width + c]! / count;
    for (let i = 0; i < count; i++) out[i * width + c]! -= mean;
  }
  for (let i = 0; i < count; i++) {
    const row = out.subarray(i * width, (i + 1) * width);
    const length = Math.hypot(...row) || 1;
    row.forEach((value, c) => row[c] = value / length);
  }
  return out;
}

function dot(a: Float32Array, i: number, b: Float32Array, j: number, width: number): number {
  let sum = 0;
  for (let c = 0; c < width; c++) sum += a[i * width + c]! * b[j * width + c]!;
  return sum;
}

/** The `k` rows of `gallery` that are nearest to a row of `queries`, the nearest first. */
export function nearest(queries: Float32Array, i: number, gallery: Float32Array, width: number, k: number): number[] {
  const scores = Float32Array.from({ length: gallery.length / width }, (_, j) => dot(queries, i, gallery, j, width));
  return [...scores.keys()].sort((a, b) => scores[b]! - scores[a]!).slice(0, k);
}

/** Share of rows whose nearest row in the other drawing is the same emoji. */
export function matchRate(queries: Float32Array, gallery: Float32Array, width: number): number {
  const count = queries.length / width;
  let hits = 0;
  for (let i = 0; i < count; i++) {
    const own = dot(queries, i, gallery, i, width);
    let best = true;
    for (let j = 0; j < count && best; j++) best = j === i || dot(queries, i, gallery, j, width) < own;
    if (best) hits++;
  }
  return hits / count;
}

/** The two main directions of some rows, kept from map to map so that they turn slowly. */
export class Projection {
  #axes: [Float32Array, Float32Array] | null = null;

  /** Places `[n, 2]` of centred rows, each axis scaled to -1 to 1. */
  places(rows: Float32Array, width: number): Float32Array<ArrayBuffer> {
    const axes = this.#axes ??= [0, 1].map((a) =>
      Float32Array.from({ length: width }, (_, c) => Math.sin(1 + c * (a + 1)))
    ) as [Float32Array, Float32Array];
    for (let round = 0; round < 8; round++) {
      axes.forEach((axis, a) => {
        axis.set(powerStep(rows, axis, width));
        if (a === 1) removeFrom(axis, axes[0]);
        normalize(axis);
      });
    }
    const count = rows.length / width;
    const out = new Float32Array(2 * count);
    axes.forEach((axis, a) => {
      for (let i = 0; i < count; i++) out[2 * i + a] = dot(rows, i, axis, 0, width);
      let most = 1e-9;
      for (let i = 0; i < count; i++) most = Math.max(most, Math.abs(out[2 * i + a]!));
      for (let i = 0; i < count; i++) out[2 * i + a]! /= most;
    });
    return out;
  }
}

function powerStep(rows: Float32Array, axis: Float32Array, width: number): Float32Array {
  const out = new Float32Array(width);
  for (let i = 0; i < rows.length / width; i++) {
    const along = dot(rows, i, axis, 0, width);
    for (let c = 0; c < width; c++) out[c]! += along * rows[i * width + c]!;
  }
  return out;
}

function removeFrom(axis: Float32Array, other: Float32Array): void {
  const along = dot(axis, 0, other, 0, axis.length);
  axis.forEach((value, c) => axis[c] = value - along * other[c]!);
}

function normalize(axis: Float32Array): void {
  const length = Math.hypot(...axis) || 1;
  axis.forEach((value, c) => axis[c] = value / length);
}
