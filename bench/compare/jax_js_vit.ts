import { type Arr, jax, lossOfViews, openJaxJs } from "./jax_js.ts";
import type { Arrays, Trainer } from "./resnet18.ts";

const { jit, nn, numpy: np, valueAndGrad } = jax;
const HEADS = 6;

/** Images and learning rate of a step. */
interface Work {
  readonly images: Float32Array;
  readonly size: readonly number[];
  readonly lr: number;
}

/** A ViT with timm's names: images `[n, 224, 224, 3]` to `[n, classes]`. Arrays count their uses: `.ref` is one more. */
function forward(p: Readonly<Record<string, Arr>>, images: Arr): Arr {
  const n = images.shape[0]!;
  const linear = (x: Arr, name: string) => np.matmul(x, p[`${name}.weight`]!).add(p[`${name}.bias`]!) as Arr;
  const norm = (x: Arr, name: string): Arr => {
    const centred = x.ref.sub(np.mean(x, -1, { keepdims: true })) as Arr;
    const variance = np.mean(np.square(centred.ref), -1, { keepdims: true }) as Arr;
    return centred.div(np.sqrt(variance.add(1e-6))).mul(p[`${name}.weight`]!).add(p[`${name}.bias`]!) as Arr;
  };
  const rows = np.transpose(images.reshape([n, 14, 16, 14, 16, 3]), [0, 1, 3, 2, 4, 5]).reshape([n, 196, 768]) as Arr;
  const [projection, bias] = [p["patch_embed.proj.weight"]!, p["patch_embed.proj.bias"]!];
  const dim = bias.shape[0]!;
  const patches = np.matmul(rows, projection.reshape([768, dim])).add(bias) as Arr;
  const cls = np.broadcastTo(p["cls_token"]!, [n, 1, dim]) as Arr;
  let x = np.concatenate([cls, patches], 1).add(p["pos_embed"]!) as Arr;
  const heads = (y: Arr) => np.transpose(y.reshape([n, 197, HEADS, dim / HEADS]), [0, 2, 1, 3]) as Arr;
  for (let i = 0; p[`blocks.${i}.norm1.weight`]; i++) {
    const name = `blocks.${i}`;
    const qkv = linear(norm(x.ref, `${name}.norm1`), `${name}.attn.qkv`);
    const [q, k, v] = np.split(qkv, 3, -1).map(heads) as [Arr, Arr, Arr];
    const scores = np.matmul(q, np.transpose(k, [0, 1, 3, 2])).mul((dim / HEADS) ** -0.5) as Arr;
    const mixed = np.transpose(np.matmul(nn.softmax(scores, -1), v), [0, 2, 1, 3]).reshape([n, 197, dim]) as Arr;
    x = x.add(linear(mixed, `${name}.attn.proj`)) as Arr;
    const inner = nn.gelu(linear(norm(x.ref, `${name}.norm2`), `${name}.mlp.fc1`), { approximate: false }) as Arr;
    x = x.add(linear(inner, `${name}.mlp.fc2`)) as Arr;
  }
  const first = np.split(norm(x, "norm"), [1], 1) as Arr[];
  first[1]!.dispose();
  return linear(first[0]!.reshape([n, dim]), "head");
}

/** jax-js on WebGPU; the whole step is jitted. */
export async function jaxJsVit(arrays: Arrays, { images, size, lr }: Work): Promise<Trainer> {
  await openJaxJs();
  let weights: Record<string, Arr> = {};
  for (const [name, { shape, data }] of Object.entries(arrays)) {
    weights[name] = np.array(Float32Array.from(data), { shape: [...shape] });
  }
  const given = np.array(Float32Array.from(images), { shape: [...size] });
  const batch = size[0]! / 2;
  const lossOf = (w: Record<string, Arr>, x: Arr): Arr => {
    const z = forward(w, x);
    return lossOfViews(z.reshape([batch, 2, z.shape[1]!]), batch);
  };
  const update = jit((w: Record<string, Arr>, x: Arr): [Arr, Record<string, Arr>] => {
    const kept = Object.fromEntries(Object.entries(w).map(([name, each]) => [name, each.ref]));
    const [loss, grads] = valueAndGrad(lossOf)(kept, x) as unknown as [Arr, Record<string, Arr>];
    const next = Object.entries(w).map(([name, each]) => [name, each.sub(grads[name]!.mul(lr)) as Arr]);
    return [loss, Object.fromEntries(next)];
  });
  return {
    name: "jax-js",
    async step() {
      const [loss, next] = update(weights, given.ref) as [Arr, Record<string, Arr>];
      weights = next;
      return (await loss.data())[0]!;
    },
  };
}
