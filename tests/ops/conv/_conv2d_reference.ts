// Convolution and its gradients by plain float64 loops.
import { type Geometry, geometryOf, type Windows2d } from "../../../src/ops/conv/geometry.ts";
import { type Shape, sizeOf } from "../../../src/tensor/mod.ts";
import { halfNoise, noise } from "../shared/_arrays.ts";

/** A convolution with seeded inputs. */
export interface ConvCase {
  readonly x: Shape;
  readonly weight: Shape;
  readonly options: Windows2d;
}

/** The inputs, the output and the gradients for a seeded gradient of the output. */
export interface ConvValues {
  readonly g: Geometry;
  readonly x: Float32Array<ArrayBuffer>;
  readonly weight: Float32Array<ArrayBuffer>;
  readonly bias: Float32Array<ArrayBuffer>;
  readonly gradY: Float32Array<ArrayBuffer>;
  readonly outShape: Shape;
  readonly y: Float64Array;
  readonly gradX: Float64Array;
  readonly gradWeight: Float64Array;
  readonly gradBias: Float64Array;
}

/** Computes all of it; with `half` the arrays named by it hold numbers of f16. */
export function convReference(
  { x: xShape, weight: weightShape, options }: ConvCase,
  half: { images?: boolean; weight?: boolean } = {},
): ConvValues {
  const g = geometryOf(xShape, weightShape, options);
  const out = g.groups * g.outChannels;
  const outShape = [g.n, ...g.outSize, out];
  const images = half.images ? halfNoise : noise;
  const weights = half.weight ? halfNoise : noise;
  const [x, weight, bias] = [images(sizeOf(xShape), 1), weights(sizeOf(weightShape), 2), noise(out, 3)];
  const gradY = images(sizeOf(outShape), 4);
  const y = new Float64Array(sizeOf(outShape));
  const [gradX, gradWeight, gradBias] = [x, weight, bias].map((a) => new Float64Array(a.length)) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  y.forEach((_, i) => y[i] = bias[i % out]!);
  gradY.forEach((v, i) => gradBias[i % out]! += v);
  eachTap(g, (p, q, r) => {
    y[p]! += x[q]! * weight[r]!;
    gradX[q]! += gradY[p]! * weight[r]!;
    gradWeight[r]! += gradY[p]! * x[q]!;
  });
  return { g, x, weight, bias, gradY, outShape, y, gradX, gradWeight, gradBias };
}

/** Calls `visit` with the flat indices of every term: output, input, weight. */
export function eachTap(g: Geometry, visit: (y: number, x: number, w: number) => void): void {
  const { inChannels, outChannels, groups } = g;
  const [channels, out] = [groups * inChannels, groups * outChannels];
  const pixels = g.n * sizeOf(g.outSize);
  for (let pixel = 0; pixel < pixels; pixel++) {
    const ox = pixel % g.outSize[1];
    const oy = Math.floor(pixel / g.outSize[1]) % g.outSize[0];
    const image = Math.floor(pixel / sizeOf(g.outSize));
    for (let tap = 0; tap < sizeOf(g.kernel); tap++) {
      const iy = oy * g.stride[0] + Math.floor(tap / g.kernel[1]) * g.dilation[0] - g.padding[0];
      const ix = ox * g.stride[1] + (tap % g.kernel[1]) * g.dilation[1] - g.padding[1];
      if (iy < 0 || ix < 0 || iy >= g.size[0] || ix >= g.size[1]) continue;
      const from = ((image * g.size[0] + iy) * g.size[1] + ix) * channels;
      for (let j = 0; j < out; j++) {
        const first = Math.floor(j / outChannels) * inChannels;
        for (let i = 0; i < inChannels; i++) visit(pixel * out + j, from + first + i, (tap * inChannels + i) * out + j);
      }
    }
  }
}
