// deno-lint-ignore-file no-import-prefix -- the peers are no dependency of the project
import * as tf from "npm:@tensorflow/tfjs@4.22.0"; // with the gradients, which tfjs-core lacks
import { WebGPUBackend } from "npm:@tensorflow/tfjs-backend-webgpu@4.22.0";
import { numbers, type Peer } from "./cases.ts";
import { checksum } from "./ours.ts";

export { tf };

const LIMITS = [
  "maxBufferSize",
  "maxStorageBufferBindingSize",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
] as const;

/** Opens a WebGPU device for TensorFlow.js, whose own way of opening one fails in Deno. */
export async function openTfjs(): Promise<void> {
  const adapter = await navigator.gpu.requestAdapter();
  if (!adapter) throw new Error("Cannot compare as no WebGPU adapter answers");
  const requiredLimits = Object.fromEntries(LIMITS.map((name) => [name, adapter.limits[name]]));
  const device = await adapter.requestDevice({ requiredLimits });
  tf.removeBackend("webgpu");
  tf.registerBackend("webgpu", () => new WebGPUBackend(device as never, adapter.info as never), 5);
  await tf.setBackend("webgpu");
  await tf.ready();
}

function make<R extends tf.Tensor>(shape: number[], seed: number): R {
  return tf.tensor(numbers(shape.reduce((a, b) => a * b), seed), shape) as unknown as R;
}

async function read(x: tf.Tensor): Promise<number> {
  const sum = checksum(await x.data() as Float32Array);
  x.dispose();
  return sum;
}

async function all(run: () => tf.Tensor[]): Promise<number> {
  const sums = await Promise.all(tf.tidy(run).map(read));
  return sums.reduce((a, b) => a + b, 0);
}

function matmulCases(): Pick<Peer["cases"], "matmul512" | "matmul1024"> {
  const [a, b] = [make<tf.Tensor2D>([512, 512], 1), make<tf.Tensor2D>([512, 512], 2)];
  const [a1, b1] = [make<tf.Tensor2D>([1024, 1024], 1), make<tf.Tensor2D>([1024, 1024], 2)];
  return { matmul512: () => read(tf.matMul(a, b)), matmul1024: () => read(tf.matMul(a1, b1)) };
}

function imageCases(): Pick<Peer["cases"], "conv64" | "conv64grad" | "conv256" | "conv256grad" | "batchNorm"> {
  const [x64, w64] = [make<tf.Tensor4D>([16, 32, 32, 64], 1), make<tf.Tensor4D>([3, 3, 64, 64], 2)];
  const [x256, w256] = [make<tf.Tensor4D>([16, 8, 8, 256], 1), make<tf.Tensor4D>([3, 3, 256, 256], 2)];
  const conv = (x: tf.Tensor, w: tf.Tensor) => tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, 1);
  const convGrads = (x: tf.Tensor4D, w: tf.Tensor4D) => () => tf.grads((p, q) => tf.sum(conv(p, q)))([x, w]);
  const normalise = (x: tf.Tensor) => {
    const { mean, variance } = tf.moments(x, [0, 1, 2], true);
    return tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, 1e-5)));
  };
  const normalised = (x: tf.Tensor, scale: tf.Tensor, shift: tf.Tensor) =>
    tf.sum(tf.relu(tf.add(tf.mul(normalise(x), scale), shift)));
  return {
    conv64: () => read(conv(x64, w64)),
    conv64grad: () => all(convGrads(x64, w64)),
    conv256: () => read(conv(x256, w256)),
    conv256grad: () => all(convGrads(x256, w256)),
    batchNorm: () => all(() => tf.grads(normalised)([x64, tf.ones([64]), tf.zeros([64])])),
  };
}

function pairCases(): Pick<Peer["cases"], "rbf" | "loss"> {
  const points = make<tf.Tensor2D>([256, 2048], 3);
  const z = make<tf.Tensor3D>([256, 2, 256], 4);
  const distances = (x: tf.Tensor2D) => {
    const square = tf.sum(tf.square(x), 1);
    const products = tf.matMul(x, x, false, true);
    return tf.maximum(tf.sub(tf.add(tf.reshape(square, [-1, 1]), tf.reshape(square, [1, -1])), tf.mul(products, 2)), 0);
  };
  const loss = (views: tf.Tensor) => {
    const norm = tf.sqrt(tf.sum(tf.square(views), -1, true));
    const centroids = tf.mean(tf.div(views, norm), 1) as tf.Tensor2D;
    return tf.log(tf.div(tf.sub(tf.sum(tf.exp(tf.mul(distances(centroids), -2))), 256), 256 * 255)) as tf.Scalar;
  };
  return {
    rbf: () => all(() => [tf.exp(tf.mul(distances(points), -1e-3))]),
    loss: () => all(() => [tf.grad(loss)(z)]),
  };
}

/** TensorFlow.js on WebGPU. */
export async function tfjs(): Promise<Peer> {
  await openTfjs();
  return { name: "tfjs", cases: { ...matmulCases(), ...imageCases(), ...pairCases() } };
}
