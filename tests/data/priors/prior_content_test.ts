import { assertEquals, assertRejects } from "@std/assert";
import { type ImageDataset, NORMALIZATION } from "../../../src/data/dataset.ts";
import { loadPrior } from "../../../src/data/priors/prior.ts";
import { writeZip } from "../../../src/formats/internal.ts";
import { type Bytes, ndarray, writeNpz, writeSafetensors, writeTorch } from "../../../src/formats/mod.ts";
import { writeNpy } from "../../../src/formats/npy.ts";
import { withFolder } from "../_helpers.ts";

const VALUES = Float32Array.of(0, 1, 2, 3, 4, 5);

function dataset(): ImageDataset {
  return {
    name: "birds",
    split: "train",
    length: 3,
    classes: ["a", "b"],
    labels: Int32Array.of(0, 1, 1),
    pixels: { data: new Uint8Array(9), height: 1, width: 1 },
    ...NORMALIZATION.cifar,
    resolution: 1,
    notes: [],
  };
}

Deno.test("loadPrior() reads the arrays of a prior alone, whatever is beside them", async () => {
  await withFolder(async (folder) => {
    const prior = writeNpy(ndarray([3, 2], "f32", VALUES));
    const header = "{'descr': '|O', 'fortran_order': False, 'shape': (), }\n";
    const pickled = Uint8Array.from(
      `\x93NUMPY\x01\x00${String.fromCharCode(header.length)}\x00${header}\x80\x04N.`,
      (c) => c.charCodeAt(0),
    ); // np.savez(…, settings={"a": 1})
    const write = async (...members: [string, Bytes][]) =>
      await Deno.writeFile(`${folder}/p.npz`, await writeZip(members.map(([name, bytes]) => ({ name, bytes }))));
    await write(["settings.npy", pickled], ["prior.npy", prior]);
    assertEquals((await loadPrior(`${folder}/p.npz`, dataset())).data, VALUES);
    for (const name of ["prior", "labels", "paths"]) {
      await write(["other.npy", prior], ...name === "prior" ? [] : [["prior.npy", prior] as [string, Bytes]], [
        `${name}.npy`,
        pickled,
      ]);
      await assertRejects(() => loadPrior(`${folder}/p.npz`, dataset()), SyntaxError, `"${name}.npy" as object arrays`);
    }
  });
});

Deno.test("loadPrior() tells a prior by its content where its name says otherwise", async () => {
  const prior = ndarray([3, 2], "f32", VALUES);
  const contents = { npy: writeNpy(prior), npz: await writeNpz({ prior }), safetensors: writeSafetensors({ prior }) };
  await withFolder(async (folder) => {
    for (const [content, bytes] of Object.entries(contents)) {
      for (const ending of [".npy", ".npz", ".safetensors", ".csv", ".pt", ".NPZ", ""]) {
        const file = `${folder}/${content}${ending}`;
        await Deno.writeFile(file, bytes);
        assertEquals([...(await loadPrior(file, dataset())).data], [...VALUES], file);
      }
    }
    const pickle = await writeTorch({ prior });
    for (const ending of ["npy", "csv"]) {
      await Deno.writeFile(`${folder}/p.${ending}`, pickle);
      await assertRejects(() => loadPrior(`${folder}/p.${ending}`, dataset()), SyntaxError, "got a pickle");
    }
    const texts = {
      "<!doctype html>": "a web page",
      "version https://git-lfs.github.com/spec/v1\n": "a pointer of Git LFS",
    };
    for (const [text, content] of Object.entries(texts)) {
      const file = `${folder}/t.csv`;
      await Deno.writeTextFile(file, text);
      await assertRejects(() => loadPrior(file, dataset()), SyntaxError, `must be text in UTF-8: got ${content}`);
      for (const ending of ["npy", "npz", "safetensors"]) {
        await Deno.writeTextFile(`${folder}/t.${ending}`, text);
        await assertRejects(() => loadPrior(`${folder}/t.${ending}`, dataset()), SyntaxError, content);
      }
    }
  });
});
