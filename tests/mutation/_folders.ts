import {
  loadCheXpert,
  loadCifar10,
  loadCub200,
  loadCubAttributes,
  loadImageNet100,
  loadPrior,
  loadUtZappos,
  loadUtZapposAttributes,
} from "../../src/data/mod.ts";
import { extractTar } from "../../src/data/files/archive.ts";
import { ndarray, safetensorsChunks, writeNpz, writeWhole } from "../../src/formats/mod.ts";
import { readJson } from "../../src/formats/internal.ts";
import { readCheckpoint, writeCheckpoint } from "../../src/checkpoints/file.ts";
import { parseNotes } from "../../src/checkpoints/notes.ts";
import { readClassifiers, writeClassifiers } from "../../src/eval/classifier_file.ts";
import { writeFiles } from "../data/_helpers.ts";
import type { Reader } from "./_readers.ts";
import { mutateHeader, mutateSealed } from "./_repair.ts";

/** A reader of a folder, of which one file at a time is damaged. */
export interface FolderReader extends Pick<Reader, "name" | "damage" | "share"> {
  /** Makes the folder. */
  fill: (folder: string) => Promise<void>;
  /** The file that is damaged. */
  file: string;
  /** Reads the folder. */
  load: (folder: string) => unknown;
}

const HEADER = "Path,Sex,Age,Frontal/Lateral,AP/PA,No Finding,Enlarged Cardiomediastinum,Cardiomegaly,Lung Opacity," +
  "Lung Lesion,Edema,Consolidation,Pneumonia,Atelectasis,Pneumothorax,Pleural Effusion,Pleural Other,Fracture,Support Devices";
const XRAYS = [1, 2, 3].map((i) => `train/patient0000${i}/study1/view1_frontal.jpg`);
const CHEXPERT = [
  HEADER,
  ...XRAYS.map((path, i) => `CheXpert-v1.0-small/${path},Male,6${i},Frontal,AP,1.0,,,-1.0,,,,,0.0,,,,,1.0`),
];
const CUB = {
  "CUB_200_2011/images.txt": "1 001.A/a_1.jpg\n2 001.A/a_2.jpg\n3 002.B/b_1.jpg\n",
  "CUB_200_2011/train_test_split.txt": "1 1\n2 0\n3 1\n",
  "CUB_200_2011/classes.txt": "1 001.A\n2 002.B\n",
  "CUB_200_2011/image_class_labels.txt": "1 1\n2 1\n3 2\n",
  "CUB_200_2011/images/001.A/a_1.jpg": "",
  "CUB_200_2011/images/001.A/a_2.jpg": "",
  "CUB_200_2011/images/002.B/b_1.jpg": "",
  "attributes.txt": "1 has_bill::short\n2 has_bill::long\n",
  "CUB_200_2011/attributes/image_attribute_labels.txt":
    "1 1 1 3 2.5\n1 2 0 3 2.5\n2 1 0 4 1\n2 2 1 4 1\n3 1 1 2 1\n3 2 0 1 1\n",
};
const SHOES = {
  "ut-zap50k-data/meta-data.csv": "CID,Category,SubCategory,HeelHeight,Insole,Closure,Gender,Material,ToeStyle\r\n" +
    '100627-72,Shoes,Oxfords,,,"Lace up",Men,Leather,\r\n7157814-52507,Boots,Mid-Calf,1in,,"Pull-on;Zipper",Women,Suede,Round Toe\r\n',
  "ut-zap50k-data/meta-data-bin.csv": "CID,Category.Shoes,Closure.Zipper\r\n100627-72,1,0\r\n7157814-52507,0,1\r\n",
  "ut-zap50k-images/Shoes/Oxfords/Bostonian/100627.72.jpg": "",
  "ut-zap50k-images/Boots/Mid-Calf/Ariat/7157814.52507.jpg": "",
  "meta_data_bin_train.csv": "path,CID,attr_val_0,attr_val_1\nShoes/Oxfords/Bostonian/100627.72.jpg,100627-72,1,0\n" +
    "Boots/Mid-Calf/Ariat/7157814.52507.jpg,7157814-52507,0,1\n",
};
const PHOTOS = Object.fromEntries(
  ["n00000001/a.jpg", "n00000001/b.jpg", "n00000002/c.jpg"].map((path) => [`train/${path}`, ""]),
);
const WEIGHT = ndarray([2, 2], "f32", new Float32Array([1, 2, 3, 4]));

const CIFAR = {
  "cifar-10-batches-bin/batches.meta.txt": "airplane\nautomobile\nbird\n",
  "cifar-10-batches-bin/test_batch.bin": Uint8Array.from({ length: 2 * 3073 }, (_, i) => i % 3073 === 0 ? 1 : i & 255),
};

const cifarBinary = (folder: string) => writeFiles(folder, CIFAR);
const cifarTest = (folder: string) => loadCifar10(folder, { split: "test", download: false });
const photoSet = (folder: string) => loadImageNet100(folder, { classList: `${folder}/list.txt`, download: false });
const cubAttributes = async (folder: string) => await loadCubAttributes(folder, await loadCub200(folder));
const shoeBits = async (folder: string) =>
  await loadUtZapposAttributes(folder, await loadUtZappos(folder, { trainFraction: 0.5 }));
const shoesWithoutList = (folder: string) =>
  writeFiles(`${folder}/.`, { ...SHOES, "meta_data_bin_train.csv": "" }).then(() =>
    Deno.remove(`${folder}/meta_data_bin_train.csv`)
  );
const shoeAttributes = async (folder: string) => await loadUtZapposAttributes(folder, await loadUtZappos(folder));
const cub = (folder: string) => writeFiles(folder, CUB);
const shoes = (folder: string) => writeFiles(`${folder}/.`, SHOES);
const photos = (folder: string) => writeFiles(`${folder}/.`, { ...PHOTOS, "list.txt": "n00000001\nn00000002\n" });
const xrays = (folder: string) =>
  writeFiles(`${folder}/.`, {
    "train.csv": `${CHEXPERT.join("\n")}\n`,
    ...Object.fromEntries(XRAYS.map((path) => [path, ""])),
  });
const cifar = (layout: string) => async (folder: string) =>
  void await extractTar(new URL(`../data/fixtures/${layout}`, import.meta.url).pathname, folder);

async function priors(folder: string): Promise<void> {
  const names = {
    shape: [3],
    dtype: "string",
    data: ["n00000001/a.jpg", "n00000001/b.jpg", "n00000002/c.jpg"],
  } as const;
  const prior = ndarray([3, 2], "f32", new Float32Array([1, 0, 0, 1, 1, 1]));
  await photos(folder);
  await Deno.writeTextFile(
    `${folder}/p.csv`,
    "path,size,colour\nn00000001/a.jpg,1,0.5\nn00000001/b.jpg,2,1e3\nn00000002/c.jpg,-3,0\n",
  );
  await Deno.writeFile(`${folder}/p.npz`, await writeNpz({ prior, paths: names }));
  await writeWhole(`${folder}/p.safetensors`, safetensorsChunks({ prior }, { paths: JSON.stringify(names.data) }));
}

const joined = (name: string) => async (folder: string) => await loadPrior(`${folder}/${name}`, await photoSet(folder));

async function checkpoint(folder: string): Promise<void> {
  const optimizer = { kind: "sgd", steps: 7, states: { velocity: new Map([["w", WEIGHT]]) } };
  const position = { epoch: 1, step: 2 };
  const config = { seed: 3, nested: { a: [1, 2, { b: null }] } };
  await writeCheckpoint(`${folder}/c.safetensors`, {
    weights: new Map([["w", WEIGHT]]),
    network: "small",
    position,
    optimizer,
    config,
  });
}

async function classifiers(folder: string): Promise<void> {
  const one = { weight: Float64Array.of(1, 2, 3, 4), bias: Float64Array.of(5, 6), dim: 2, classes: 2 };
  const all = ["a", "b"].map((name) => ({ name, classes: ["no", "yes"], classifier: one }));
  await writeClassifiers(`${folder}/c.safetensors`, all, { note: "x" });
}

const notes = JSON.stringify({
  network: "small",
  position: '{"epoch":1,"step":2}',
  optimizer: '{"kind":"sgd","steps":7,"scaler":{"scale":65536,"growthTracker":1,"skipped":0}}',
  config: '{"seed":3}',
});

async function texts(folder: string): Promise<void> {
  await Deno.writeTextFile(`${folder}/notes.json`, notes);
  await Deno.writeTextFile(`${folder}/config.json`, '{"seed": 3, "network": "small", "list": [1, {"a": null}]}');
}

async function readNotes(folder: string): Promise<void> {
  const found = await readJson(`${folder}/notes.json`) ?? {};
  parseNotes(Object.fromEntries(Object.entries(found).map(([key, value]) => [key, String(value)])));
}

/** Readers of files in their folders. */
export const FOLDERS: readonly FolderReader[] = [
  { name: "loadCifar10(), binary", fill: cifarBinary, file: "cifar-10-batches-bin/test_batch.bin", load: cifarTest },
  { name: "loadCifar10(), names", fill: cifarBinary, file: "cifar-10-batches-bin/batches.meta.txt", load: cifarTest },
  {
    name: "loadCifar10(), Python",
    fill: cifar("cifar-10-python.tar.gz"),
    file: "cifar-10-batches-py/test_batch",
    load: cifarTest,
  },
  {
    name: "loadCifar10(), Python's names",
    fill: cifar("cifar-10-python.tar.gz"),
    file: "cifar-10-batches-py/batches.meta",
    load: cifarTest,
  },
  { name: "loadCub200(), images", fill: cub, file: "CUB_200_2011/images.txt", load: (root) => loadCub200(root) },
  {
    name: "loadCub200(), split",
    fill: cub,
    file: "CUB_200_2011/train_test_split.txt",
    load: (root) => loadCub200(root),
  },
  {
    name: "loadCubAttributes(), labels",
    fill: cub,
    file: "CUB_200_2011/attributes/image_attribute_labels.txt",
    load: cubAttributes,
  },
  { name: "loadCubAttributes(), names", fill: cub, file: "attributes.txt", load: cubAttributes },
  {
    name: "loadUtZapposAttributes()",
    fill: shoesWithoutList,
    file: "ut-zap50k-data/meta-data-bin.csv",
    load: shoeBits,
  },
  { name: "loadUtZapposAttributes(), columns", fill: shoes, file: "meta_data_bin_train.csv", load: shoeAttributes },
  { name: "loadCheXpert()", fill: xrays, file: "train.csv", load: (root) => loadCheXpert(root) },
  {
    name: "loadUtZappos(), metadata",
    fill: shoes,
    file: "ut-zap50k-data/meta-data.csv",
    load: (root) => loadUtZappos(root),
  },
  { name: "loadUtZappos(), split", fill: shoes, file: "meta_data_bin_train.csv", load: (root) => loadUtZappos(root) },
  { name: "loadImageNet100(), list", fill: photos, file: "list.txt", load: photoSet },
  { name: "loadPrior(), csv", fill: priors, file: "p.csv", load: joined("p.csv") },
  { name: "loadPrior(), npz", fill: priors, file: "p.npz", load: joined("p.npz") },
  {
    name: "loadPrior(), safetensors",
    fill: priors,
    file: "p.safetensors",
    load: joined("p.safetensors"),
    damage: mutateHeader,
  },
  {
    name: "readCheckpoint()",
    fill: checkpoint,
    file: "c.safetensors",
    load: (root) => readCheckpoint(`${root}/c.safetensors`),
  },
  {
    name: "readCheckpoint(), foreign",
    fill: checkpoint,
    file: "c.safetensors",
    load: (root) => readCheckpoint(`${root}/c.safetensors`, { foreign: true }),
    damage: mutateHeader,
  },
  {
    name: "readClassifiers()",
    fill: classifiers,
    file: "c.safetensors",
    load: (root) => readClassifiers(`${root}/c.safetensors`),
    damage: mutateSealed,
  },
  { name: "parseNotes()", fill: texts, file: "notes.json", load: readNotes },
  { name: "readJson()", fill: texts, file: "config.json", load: (root) => readJson(`${root}/config.json`) },
];
