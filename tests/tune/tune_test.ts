import { assert, assertEquals, assertGreater, assertStringIncludes } from "@std/assert";
import { autocast, backward, requireGrad } from "../../src/autograd/mod.ts";
import { compile } from "../../src/compile/mod.ts";
import { defineProgram, Device } from "../../src/device/mod.ts";
import type { Question } from "../../src/ops/shared/answers.ts";
import { policyOf } from "../../src/ops/shared/policy.ts";
import { conv2d, matmul } from "../../src/ops/mod.ts";
import { full, key, scope, type Tensor, uniform } from "../../src/tensor/mod.ts";
import { assertClose, TOLERANCE } from "../../src/testing/mod.ts";
import { tune, type TuneOptions, type TuneStore } from "../../src/tune/mod.ts";
import { formsOn } from "../ops/product/_forms.ts";
import { testWith } from "../device/_features.ts";

const device = await Device.open();

function noise(shape: readonly number[], seed: number): Tensor {
  return uniform(shape, { key: key(seed), low: -1 });
}

/** Runs `body` on a device for which nothing was timed yet, and takes them away again. */
async function untuned<T>(body: () => Promise<T>): Promise<T> {
  policyOf(device).forgetAnswers();
  try {
    using _ = scope();
    return await body();
  } finally {
    policyOf(device).forgetAnswers();
  }
}

/** A store in memory. */
class MemoryStore implements TuneStore {
  readonly environment = "test 1";
  readonly texts = new Map<string, string>();
  load(key: string): Promise<string | null> {
    return Promise.resolve(this.texts.get(key) ?? null);
  }
  save(key: string, text: string): Promise<void> {
    this.texts.set(key, text);
    return Promise.resolve();
  }
}

/** A question with made-up answers: each is how to make a tensor. */
function made(answers: Record<string, () => Tensor>, usual: string): () => Tensor {
  const ask = (): Omit<Question, "usual"> => ({
    key: "made up",
    candidates: () => Object.keys(answers),
    prepare: () => ({ run }),
  });
  const run = () => answers[policyOf(device).decide(usual, ask)]!();
  return run;
}

/** Takes its time. */
function slowOnes(): Tensor {
  const a = full([256, 256], 1 / 256);
  let ones: Tensor = full([256, 256], 1);
  for (let i = 0; i < 8; i++) ones = matmul(a, ones);
  return ones;
}

Deno.test("tune() takes the fastest candidate with the right result", async () => {
  await untuned(async () => {
    const step = made({
      usual: slowOnes,
      fast: () => full([256, 256], 1),
      wrong: () => full([256, 256], 0.5),
      nothing: () => full([256, 256], NaN),
    }, "usual");
    const notes: string[] = [];
    const { choices, refusals, clock } = await tune(step, { onNote: (note) => notes.push(note) });
    const own = choices.find(({ question }) => question === "made up")!;
    assertEquals([own.usual, own.chosen], ["usual", "fast"]);
    assertGreater(own.milliseconds.usual, own.milliseconds.chosen);
    assertEquals(refusals.map(({ answer }) => answer), ["wrong", "nothing"]);
    assertStringIncludes(notes[0]!, '"wrong" is not used for made up as its result is off by 0.5 of 1');
    assertEquals(clock, device.features.has("timestamp-query") ? "timestamps" : "wall");
    assertEquals(await step().data(), await full([256, 256], 1).data());
  });
});

Deno.test("tune() goes on where the device refuses a candidate", async () => {
  await untuned(async () => {
    const broken = defineProgram({ name: "broken", code: ["fn main() { nonsense }"], entryPoint: "main" });
    const step = made({
      usual: slowOnes,
      broken() {
        const ones = full([256, 256], 1);
        device.dispatch(broken, { buffers: {}, workgroups: [1, 1, 1] });
        return ones;
      },
      fast: () => full([256, 256], 1),
    }, "usual");
    const { choices, refusals } = await tune(step);
    assertEquals(choices.find(({ question }) => question === "made up")?.chosen, "fast");
    assertEquals(refusals.map(({ answer }) => answer), ["broken"]);
    assertStringIncludes(refusals[0]!.reason, "broken.main");
  });
});

Deno.test("tune() times by the clock where the adapter has no timestamps", async () => {
  const { features } = device;
  Object.defineProperty(device, "features", { value: new Set(), configurable: true });
  try {
    await untuned(async () => {
      const step = made({ usual: slowOnes, fast: () => full([256, 256], 1) }, "usual");
      const { choices, clock } = await tune(step);
      assertEquals(clock, "wall");
      assertEquals(choices.find(({ question }) => question === "made up")?.chosen, "fast");
    });
  } finally {
    Object.defineProperty(device, "features", { value: features, configurable: true });
  }
});

Deno.test("tune() settles matrix products and convolutions of a step once, and results stay right", async () => {
  await untuned(async () => {
    const [x, w] = [requireGrad(noise([2, 9, 7, 3], 1)), requireGrad(noise([3, 3, 3, 6], 2))];
    const [a, b] = [noise([70, 900], 3), noise([900, 20], 4)];
    const step = () => {
      const y = conv2d(x, w, { padding: 1 });
      backward(y, { grad: noise([2, 9, 7, 6], 5) });
      const grads = [x.grad!, w.grad!];
      x.grad = w.grad = null;
      return [y, ...grads, matmul(a, b)];
    };
    const before = await Promise.all(step().map((each) => each.data()));
    const { choices, refusals } = await tune(step);
    assertEquals(refusals, []);
    const asked = choices.map(({ question }) => question);
    for (const kind of ["forward", "inputGrad", "weightGrad"]) {
      const name = `conv2d ${kind} 2x9x7x3 to 6 window 3x3 stride 1x1 padding 1x1 dilation 1x1 groups 1 f32`;
      assert(asked.includes(name), `${name} is not among ${asked.join("\n")}`);
    }
    assert(asked.includes("matmul AB 1 x 70x900x20 f32"), asked.join("\n"));
    assertEquals((await tune(step)).choices, []);
    const after = await Promise.all(step().map((each) => each.data()));
    after.forEach((each, i) => assertClose(each, [...before[i]!], { rtol: TOLERANCE.sum }));
  });
});

Deno.test("tune() runs a compiled step as it is, which is recorded anew then", async () => {
  await untuned(async () => {
    const [a, b] = [noise([40, 600], 1), noise([600, 24], 2)];
    using step = compile(() => matmul(a, b), { check: "never" });
    for (let i = 0; i < 5; i++) step();
    const before = await step().data();
    const { replays } = step;
    assertGreater(replays, 0);
    assertEquals((await tune(step)).choices.length, 1);
    assertEquals(step.replays, replays);
    for (let i = 0; i < 5; i++) step();
    assertGreater(step.replays, replays);
    assertClose(await step().data(), [...before], { rtol: TOLERANCE.sum });
    assertEquals((await tune(step)).choices, []);
  });
});

testWith(device, "shader-f16", "tune() tunes half precision apart", async () => {
  await untuned(async () => {
    const [x, w] = [noise([2, 8, 8, 8], 1), noise([3, 3, 8, 8], 2)];
    const step = () => conv2d(x, w, { padding: 1 });
    await tune(step);
    const { choices, refusals } = await tune(() => autocast(step));
    assertEquals(refusals, []);
    assert(choices.some(({ question }) => question.startsWith("conv2d forward") && question.endsWith(" f16")));
    assertEquals((await tune(() => autocast(step))).choices, []);
  });
});

Deno.test("tune() tries the tiles of the GPU family", async () => {
  if (!formsOn(device).includes("tile64")) return;
  await untuned(() =>
    policyOf(device).with({ family: "gpu" }, async () => {
      const [a, b] = [noise([60, 1030], 1), noise([1030, 62], 2)];
      const { choices, refusals } = await tune(() => matmul(a, b));
      assertEquals(refusals, []);
      assertEquals(choices.length, 1);
      assert(choices[0]!.chosen.startsWith("tile"), choices[0]!.chosen);
    })
  );
});

/** One product, tuned with a store. */
async function tuneProduct(options: TuneOptions): Promise<{ made: number; notes: string[] }> {
  const notes: string[] = [];
  const made = await untuned(async () => {
    const [a, b] = [noise([20, 900], 1), noise([900, 20], 2)];
    const { choices } = await tune(() => matmul(a, b), { ...options, onNote: (note) => notes.push(note) });
    assertEquals(await decided(), true);
    return choices.length;
  });
  return { made, notes };
}

function decided(): Promise<boolean> {
  return Promise.resolve(policyOf(device).answers!.isSettled("matmul AB 1 x 20x900x20 f32"));
}

Deno.test("tune() runs a step of a known name no more", async () => {
  const store = new MemoryStore();
  const [a, b] = [noise([20, 900], 1), noise([900, 20], 2)];
  let runs = 0;
  const step = () => {
    runs++;
    return matmul(a, b);
  };
  for (const [name, expected] of [["one", 1], ["one", 1], ["two", 2], [undefined, 3]] as const) {
    await untuned(() => tune(step, { store, name }));
    assertEquals(runs, expected);
  }
  await untuned(async () => {
    await tune(step, { store, name: "one" });
    const { choices } = await tune(step, { name: "three" }); // not run above, but known
    assertEquals([runs, choices], [4, []]);
  });
});

Deno.test("tune() keeps what it found in a store", async () => {
  const store = new MemoryStore();
  assertEquals(await tuneProduct({ store }), { made: 1, notes: [] });
  assertEquals(await tuneProduct({ store }), { made: 0, notes: [] });
  const [key, text] = [...store.texts][0]!;
  assertStringIncludes(key, device.info.description);
  assertStringIncludes(key, "test 1");
  const { answers } = JSON.parse(text);
  assertEquals(Object.keys(answers), ["matmul AB 1 x 20x900x20 f32"]);
});

Deno.test("tune() tunes again where the store holds something else, says so and replaces it", async () => {
  const store = new MemoryStore();
  await tuneProduct({ store });
  const [key, good] = [...store.texts][0]!;
  const others: [text: string, reason: string][] = [
    ["{", "JSON"],
    ["null", "it is no object"],
    [good.replace('"format": 1', '"format": 9'), "its format is not 1: got 9"],
    [good.replace("test 1", "test 2"), "it is of another adapter or version"],
    [JSON.stringify({ format: 1, key }), "it has no answers"],
    [JSON.stringify({ format: 1, key, answers: { matmul: 7 } }), "an answer is no text: got 7"],
  ];
  for (const [text, reason] of others) {
    store.texts.set(key, text);
    const { made, notes } = await tuneProduct({ store });
    assertEquals([made, notes.length], [1, 1], text);
    assertStringIncludes(notes[0]!, "Cannot use what was tuned before");
    assertStringIncludes(notes[0]!, reason);
    assertEquals((await tuneProduct({ store })).made, 0);
  }
});

Deno.test("tune() uses no answer that is not among the candidates", async () => {
  const store = new MemoryStore();
  await tuneProduct({ store });
  const [key, good] = [...store.texts][0]!;
  store.texts.set(key, good.replace(/"(subgroup\w*|rows|tile\w+) \d+"/, '"rows 1000000"'));
  assert(store.texts.get(key)!.includes("1000000"));
  assertEquals((await tuneProduct({ store })).made, 1);
  assert(!store.texts.get(key)!.includes("1000000"));
});

Deno.test("tune() goes on without a store that fails, and says so", async () => {
  const failing: TuneStore = {
    environment: "",
    load: () => Promise.reject(new Error("no reading")),
    save: () => Promise.reject(new Error("no writing")),
  };
  const { made, notes } = await tuneProduct({ store: failing });
  assertEquals(made, 1);
  assertEquals(notes.length, 2);
  assertStringIncludes(notes[0]!, "no reading");
  assertStringIncludes(notes[1]!, "Cannot keep what was tuned: no writing");
});
