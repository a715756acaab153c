// deno-lint-ignore-file no-import-prefix -- the peers are no dependency of the project
import * as jax from "npm:@jax-js/jax@0.1.25";
import { numbers, type Peer } from "./cases.ts";
import { checksum } from "./ours.ts";

export { jax };

const { defaultDevice, grad, init, jit, lax, nn, numpy: np } = jax;

/** An array of jax-js. */
export type Arr = ReturnType<typeof np.array>;

/** Opens its WebGPU backend. */
export async function openJaxJs(): Promise<void> {
  await init("webgpu");
  defaultDevice("webgpu");
}

/** Decoupled uniformity of views `[batch, 2, features]`. */
export function lossOfViews(views: Arr, batch: number): Arr {
  const norm = np.sqrt(np.sum(np.square(views.ref), -1, { keepdims: true })) as Arr;
  const c = np.mean(views.div(norm), 1) as Arr;
  const square = np.sum(np.square(c.ref), 1) as Arr;
  const products = np.matmul(c.ref, np.transpose(c)) as Arr;
  const d2 = square.ref.reshape([-1, 1]).add(square.reshape([1, -1])).sub(products.mul(2)) as Arr;
  const potential = np.exp(np.maximum(d2, 0).mul(-2)) as Arr;
  return np.log(np.sum(potential).sub(batch).div(batch * (batch - 1))) as Arr;
}

function make(shape: number[], seed: number): Arr {
  return np.array(numbers(shape.reduce((a, b) => a * b), seed), { shape });
}

async function read(x: Arr): Promise<number> {
  return checksum(await x.data() as Float32Array);
}

function matmulCases(): Pick<Peer["cases"], "matmul512" | "matmul1024"> {
  const [a, b, a1, b1] = [make([512, 512], 1), make([512, 512], 2), make([1024, 1024], 1), make([1024, 1024], 2)];
  const matmul = jit((x: Arr, y: Arr): Arr => np.matmul(x, y) as Arr);
  return { matmul512: () => read(matmul(a.ref, b.ref)), matmul1024: () => read(matmul(a1.ref, b1.ref)) };
}

/** Convolutions of 3 × 3 windows; they are channels first there: the numbers are transposed once, outside the clock. */
function convolutionCases(): Pick<Peer["cases"], "conv64" | "conv64grad" | "conv256" | "conv256grad"> {
  const nchw = (shape: number[], seed: number): Arr => np.transpose(make(shape, seed), [0, 3, 1, 2]);
  const oihw = (shape: number[], seed: number): Arr => np.transpose(make(shape, seed), [3, 2, 0, 1]);
  const [x64, w64] = [nchw([16, 32, 32, 64], 1), oihw([3, 3, 64, 64], 2)];
  const [x256, w256] = [nchw([16, 8, 8, 256], 1), oihw([3, 3, 256, 256], 2)];
  const conv = (x: Arr, w: Arr): Arr => lax.convGeneralDilated(x, w, [1, 1], [[1, 1], [1, 1]]) as Arr;
  const forward = jit(conv);
  const gradients = jit(grad((pair: { x: Arr; w: Arr }): Arr => np.sum(conv(pair.x, pair.w)) as Arr));
  const both = async ({ x, w }: { x: Arr; w: Arr }) => await read(x) + await read(w);
  return {
    conv64: () => read(forward(x64.ref, w64.ref)),
    conv64grad: () => both(gradients({ x: x64.ref, w: w64.ref })),
    conv256: () => read(forward(x256.ref, w256.ref)),
    conv256grad: () => both(gradients({ x: x256.ref, w: w256.ref })),
  };
}

function normCases(): Pick<Peer["cases"], "batchNorm"> {
  const flat = make([16, 32, 32, 64], 1);
  const normalise = (x: Arr): Arr => {
    const mean = np.mean(x.ref, [0, 1, 2], { keepdims: true }) as Arr;
    const centred = x.sub(mean) as Arr;
    const variance = np.mean(np.square(centred.ref), [0, 1, 2], { keepdims: true }) as Arr;
    return centred.div(np.sqrt(variance.add(1e-5))) as Arr;
  };
  const gradients = jit(
    grad(({ x, scale, shift }: { x: Arr; scale: Arr; shift: Arr }): Arr =>
      np.sum(nn.relu(normalise(x).mul(scale).add(shift))) as Arr
    ),
  );
  return {
    batchNorm: async () => {
      const { x, scale, shift } = gradients({ x: flat.ref, scale: np.ones([64]), shift: np.zeros([64]) });
      return await read(x) + await read(scale) + await read(shift);
    },
  };
}

function pairCases(): Pick<Peer["cases"], "rbf" | "loss"> {
  const points = make([256, 2048], 3);
  const z = make([256, 2, 256], 4);
  const rbf = jit((x: Arr): Arr => {
    const square = np.sum(np.square(x.ref), 1) as Arr;
    const products = np.matmul(x.ref, np.transpose(x)) as Arr;
    const d2 = square.ref.reshape([-1, 1]).add(square.reshape([1, -1])).sub(products.mul(2)) as Arr;
    return np.exp(np.maximum(d2, 0).mul(-1e-3)) as Arr;
  });
  const lossGrad = jit(grad((views: Arr): Arr => lossOfViews(views, 256)));
  return { rbf: () => read(rbf(points.ref)), loss: () => read(lossGrad(z.ref)) };
}

/** jax-js on WebGPU, jitted, after its own README; arrays are used up by a call, hence `.ref`. */
export async function jaxJs(): Promise<Peer> {
  await openJaxJs();
  return { name: "jax-js", cases: { ...matmulCases(), ...convolutionCases(), ...normCases(), ...pairCases() } };
}
