import { type Arrays, embed, type Layers, STEP, stepImages, type Trainer, type Weights } from "./resnet18.ts";
import { openTfjs, tf } from "./tfjs.ts";

const LAYERS: Layers<tf.Tensor> = {
  again: (x) => x,
  conv: (x, w, stride, padding) =>
    tf.conv2d(tf.pad(x as tf.Tensor4D, [[0, 0], [padding, padding], [padding, padding], [0, 0]]), w as tf.Tensor4D, [
      stride,
      stride,
    ], "valid"),
  norm(x, scale, shift) {
    const { mean, variance } = tf.moments(x, [0, 1, 2], true);
    return tf.add(tf.mul(tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, 1e-5))), scale), shift);
  },
  relu: (x) => tf.relu(x),
  add: (x, y) => tf.add(x, y),
  pool: (x) => tf.mean(x, [1, 2]),
  linear: (x, w, b) => tf.add(tf.matMul(x as tf.Tensor2D, w as tf.Tensor2D), b),
};

function lossOf(weights: Weights<tf.Tensor>, images: tf.Tensor): tf.Scalar {
  const batch = STEP.images / 2;
  const views = tf.reshape(embed(LAYERS, weights, images), [batch, 2, 256]);
  const c = tf.mean(tf.div(views, tf.sqrt(tf.sum(tf.square(views), -1, true))), 1) as tf.Tensor2D;
  const square = tf.sum(tf.square(c), 1);
  const pairs = tf.add(tf.reshape(square, [-1, 1]), tf.reshape(square, [1, -1]));
  const d2 = tf.maximum(tf.sub(pairs, tf.mul(tf.matMul(c, c, false, true), 2)), 0);
  return tf.log(tf.div(tf.sub(tf.sum(tf.exp(tf.mul(d2, -2))), batch), batch * (batch - 1))) as tf.Scalar;
}

/** TensorFlow.js on WebGPU. */
export async function tfjsTrainer(arrays: Arrays): Promise<Trainer> {
  await openTfjs();
  const variables = Object.entries(arrays).map(([name, { shape, data }]) =>
    tf.variable(tf.tensor(Float32Array.from(data), [...shape]), true, name)
  );
  const weights = Object.fromEntries(variables.map((each) => [each.name, each]));
  const { images: n, size } = STEP;
  const images = tf.tensor(stepImages(), [n, size, size, 3]);
  return {
    name: "tfjs",
    async step() {
      const loss = tf.tidy(() => {
        const { value, grads } = tf.variableGrads(() => lossOf(weights, images), variables);
        for (const each of variables) each.assign(tf.sub(each, tf.mul(grads[each.name]!, STEP.lr)));
        return value;
      });
      const value = (await loss.data())[0]!;
      loss.dispose();
      return value;
    },
  };
}
