import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ndarray, readSafetensors, safetensorsChunks, writeWhole } from "../../src/formats/mod.ts";
import { sealed } from "../../src/formats/internal.ts";
import {
  checkFittedOn,
  inOrderOf,
  type NamedClassifier,
  readClassifiers,
  writeClassifiers,
} from "../../src/eval/classifier_file.ts";
import { withFolder } from "../data/_helpers.ts";

const NAMED = {
  name: "classes",
  classes: ["apple", "banana", "plum"],
  classifier: { weight: Float64Array.of(1, 2, 3, 4, 5, 6), bias: Float64Array.of(7, 8, 9), dim: 2, classes: 3 },
};

Deno.test("inOrderOf() joins the classes of a classifier by name", () => {
  const { weight, bias } = inOrderOf(NAMED, ["plum", "apple", "banana"]);
  assertEquals([...weight], [3, 1, 2, 6, 4, 5]);
  assertEquals([...bias], [9, 7, 8]);
  assertEquals(inOrderOf(NAMED, NAMED.classes), NAMED.classifier);
});

Deno.test("inOrderOf() refuses a classifier of other classes and names them", () => {
  assertThrows(
    () => inOrderOf(NAMED, ["apple", "banana", "quince"]),
    TypeError,
    'the classifier must be for its 3 classes: got one for 3, which lacks "quince" and has "plum" besides',
  );
  assertThrows(() => inOrderOf(NAMED, ["apple", "plum"]), TypeError, 'lacks none and has "banana" besides');
});

Deno.test("checkFittedOn() refuses a classifier of other features and names both", () => {
  const here = { feature: "fc", dim: 2, weights: "ab12" };
  const given = (fittedOn: NamedClassifier["fittedOn"], more = {}) => () =>
    checkFittedOn({ ...NAMED, fittedOn }, { ...here, ...more });
  for (const fine of [undefined, {}, { feature: "fc" }, { weights: "ab12" }]) given(fine)();
  const rule = "Cannot evaluate classes as the classifier must be";
  assertThrows(
    given({ feature: "pooled", weights: "cd" }, { dim: 8 }),
    TypeError,
    `${rule} for "fc" features: got one for "pooled"`,
  );
  assertThrows(
    given({ feature: "fc", weights: "cd" }, { dim: 8 }),
    TypeError,
    `${rule} for features 8 wide, as this encoder's: got one for 2`,
  );
  assertThrows(
    given({ weights: "cd34" }),
    TypeError,
    `${rule} fitted on this encoder, weights_sha256 ab12: got one fitted on "cd34"`,
  );
});

Deno.test("readClassifiers() reads what was written, and refuses what does not fit together", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/c.safetensors`;
  try {
    const all = [NAMED, { ...NAMED, name: "others" }];
    for (const fittedOn of [{ feature: undefined, weights: undefined }, { feature: "fc", weights: "ab" }]) {
      const { feature, weights } = fittedOn;
      await writeClassifiers(path, all, feature ? { feature, weights_sha256: weights } : {});
      assertEquals(await readClassifiers(path), all.map((each) => ({ ...each, fittedOn })));
    }
    const weight = ndarray([2, 3], "f32", new Float32Array(6));
    const bias = (n: number) => ndarray([n], "f32", new Float32Array(n));
    const task = '[{"name":"a","classes":["x","y"]}]';
    const refuses = async (tasks: string | undefined, tensors: Record<string, typeof weight>, message: string) => {
      const all = new Map(Object.entries(tensors));
      await writeWhole(path, safetensorsChunks(all, await sealed(all, tasks === undefined ? {} : { tasks })));
      await assertRejects(() => readClassifiers(path), SyntaxError, `Cannot read "${path}": Cannot read ${message}`);
    };
    for (const [tasks, got] of [[undefined, "nothing"], ["null", "null"], ["{}", "{}"], ["[1]", "[1]"]] as const) {
      await refuses(tasks, {}, `linear classifiers as their names and classes must be in it: got ${got}`);
    }
    await refuses('[{"name":"a","classes":[1]}]', {}, "linear classifiers as their names and classes must be in it");
    await refuses("[", {}, 'the names of its classifiers as it must be JSON: got "["');
    const rule = 'linear classifiers as "a" must have a weight [2, dim] and a bias [2]: got ';
    await refuses(task, {}, `${rule}none and none`);
    await refuses(task, { weight }, `${rule}[2,3] and none`);
    await refuses(task, { weight, bias: bias(3) }, `${rule}[2,3] and [3]`);
    await refuses(task, { weight: bias(2), bias: bias(2) }, `${rule}[2] and [2]`);
    await refuses('[{"name":"a","classes":["x"]}]', { weight, bias: bias(2) }, 'linear classifiers as "a" must have');
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("readClassifiers() refuses every file of which a bit is flipped, or the checksum is absent", async () => {
  await withFolder(async (folder) => {
    const path = `${folder}/c.safetensors`;
    await writeClassifiers(path, [NAMED], { feature: "fc" });
    const whole = await Deno.readFile(path);
    const { tensors, metadata: { sha256: _, ...metadata } } = readSafetensors(whole);
    for (let at = 0; at < whole.length; at++) {
      const bytes = whole.slice();
      bytes[at]! ^= 1 << at % 8;
      await Deno.writeFile(path, bytes);
      await assertRejects(() => readClassifiers(path), SyntaxError, "Cannot read", `byte ${at}`);
    }
    await writeWhole(path, safetensorsChunks(tensors, metadata));
    await assertRejects(() => readClassifiers(path), SyntaxError, "its checksum does not match");
  });
});
