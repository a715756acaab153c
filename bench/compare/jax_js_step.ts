import { type Arr, jax, lossOfViews, openJaxJs } from "./jax_js.ts";
import { type Arrays, embed, type Layers, STEP, stepImages, type Trainer, type Weights } from "./resnet18.ts";

const { jit, lax, nn, numpy: np, valueAndGrad } = jax;

const LAYERS: Layers<Arr> = {
  again: (x) => x.ref,
  conv: (x, w, stride, padding) =>
    lax.convGeneralDilated(x, w, [stride, stride], [[padding, padding], [padding, padding]]) as Arr,
  norm(x, scale, shift) {
    const mean = np.mean(x.ref, [0, 2, 3], { keepdims: true }) as Arr;
    const centred = x.sub(mean) as Arr;
    const variance = np.mean(np.square(centred.ref), [0, 2, 3], { keepdims: true }) as Arr;
    const normal = centred.div(np.sqrt(variance.add(1e-5))) as Arr;
    return normal.mul(scale.reshape([1, -1, 1, 1])).add(shift.reshape([1, -1, 1, 1])) as Arr;
  },
  relu: (x) => nn.relu(x) as Arr,
  add: (x, y) => x.add(y) as Arr,
  pool: (x) => np.mean(x, [2, 3]) as Arr,
  linear: (x, w, b) => np.matmul(x, w).add(b) as Arr,
};

function lossOf(weights: Weights<Arr>, images: Arr): Arr {
  const batch = STEP.images / 2;
  const views = embed(LAYERS, weights, images).reshape([batch, 2, 256]) as Arr;
  return lossOfViews(views, batch);
}

/** jax-js on WebGPU; channels first, as its convolution is. The whole step is jitted. */
export async function jaxJsTrainer(arrays: Arrays): Promise<Trainer> {
  await openJaxJs();
  let weights: Record<string, Arr> = {};
  for (const [name, { shape, data }] of Object.entries(arrays)) {
    const array = np.array(Float32Array.from(data), { shape: [...shape] });
    weights[name] = shape.length === 4 ? np.transpose(array, [3, 2, 0, 1]) as Arr : array;
  }
  const { images: n, size } = STEP;
  const images = np.transpose(np.array(stepImages(), { shape: [n, size, size, 3] }), [0, 3, 1, 2]) as Arr;
  const update = jit((w: Record<string, Arr>, x: Arr): [Arr, Record<string, Arr>] => {
    const kept = Object.fromEntries(Object.entries(w).map(([name, each]) => [name, each.ref]));
    const [loss, grads] = valueAndGrad(lossOf)(kept, x) as unknown as [Arr, Record<string, Arr>];
    const next = Object.entries(w).map(([name, each]) => [name, each.sub(grads[name]!.mul(STEP.lr)) as Arr]);
    return [loss, Object.fromEntries(next)];
  });
  return {
    name: "jax-js",
    async step() {
      const [loss, next] = update(weights, images.ref) as [Arr, Record<string, Arr>];
      weights = next;
      return (await loss.data())[0]!;
    },
  };
}
