import { dirname, join } from "node:path";
import { npzChunks, writeWhole } from "../../formats/mod.ts";
import type { DemoImage, DemoImages } from "./_demo_images.ts";
import { resizeBilinear } from "../images/resize.ts";
import type { RgbImage } from "../images/rgb_image.ts";

/** Data sets that `writeDemo()` can make a small stand-in for. */
export type DemoName = "cifar10" | "cifar100" | "cub200" | "utzappos" | "imagenet100" | "chexpert" | "custom";

/** Makes the bytes of a JPEG file. */
export type EncodeJpeg = (image: RgbImage, grayscale: boolean) => Promise<Uint8Array<ArrayBuffer>>;

type Writer = (root: string, images: DemoImages, encode: EncodeJpeg) => Promise<void>;

/** Writers of demo sets, by the data set whose layout they write. */
export const DEMO_LAYOUTS: Readonly<Record<DemoName, Writer>> = {
  cifar10: writeCifar10,
  cifar100: writeCifar100,
  cub200: writeCub200,
  utzappos: writeUtZappos,
  imagenet100: writeImageNet100,
  chexpert: writeCheXpert,
  custom: writeCustom,
};

async function writeText(path: string, lines: string[]): Promise<void> {
  await Deno.mkdir(dirname(path), { recursive: true });
  await Deno.writeTextFile(path, lines.join("\n") + "\n");
}

/** Writes a JPEG of the given size, the picture being squashed to it. */
async function writeJpeg(
  path: string,
  { pixels }: DemoImage,
  { height, width, gray = false, encode }: { height: number; width: number; gray?: boolean; encode: EncodeJpeg },
): Promise<void> {
  const image = resizeBilinear({ data: pixels, height: 32, width: 32 }, { height, width });
  await Deno.mkdir(dirname(path), { recursive: true });
  await Deno.writeFile(path, await encode(image, gray));
}

function slug(text: string): string {
  return text.replace(/[^A-Za-z0-9]+/g, "_");
}

function cifarRecords(images: DemoImage[], labelsOf: (image: DemoImage) => number[]): Uint8Array<ArrayBuffer> {
  const labelBytes = labelsOf(images[0]!).length;
  const out = new Uint8Array(images.length * (labelBytes + 3072));
  images.forEach((image, row) => {
    const record = out.subarray(row * (labelBytes + 3072), (row + 1) * (labelBytes + 3072));
    record.set(labelsOf(image));
    for (let i = 0; i < 3072; i++) record[labelBytes + (i % 3) * 1024 + Math.floor(i / 3)] = image.pixels[i]!;
  });
  return out;
}

async function writeCifar10(root: string, { images, classes }: DemoImages): Promise<void> {
  const folder = join(root, "cifar-10-batches-bin");
  await writeText(join(folder, "batches.meta.txt"), classes);
  const train = images.filter(({ split }) => split === "train");
  for (let batch = 0; batch < 5; batch++) {
    const part = train.filter((_, i) => i % 5 === batch);
    await Deno.writeFile(join(folder, `data_batch_${batch + 1}.bin`), cifarRecords(part, ({ label }) => [label]));
  }
  const test = images.filter(({ split }) => split === "test");
  await Deno.writeFile(join(folder, "test_batch.bin"), cifarRecords(test, ({ label }) => [label]));
}

async function writeCifar100(root: string, { images, classes, subclasses }: DemoImages): Promise<void> {
  const folder = join(root, "cifar-100-binary");
  await writeText(join(folder, "fine_label_names.txt"), subclasses);
  await writeText(join(folder, "coarse_label_names.txt"), classes);
  for (const split of ["train", "test"]) {
    const part = images.filter((image) => image.split === split);
    await Deno.writeFile(join(folder, `${split}.bin`), cifarRecords(part, ({ label, sublabel }) => [label, sublabel]));
  }
}

async function writeCub200(root: string, { images, classes, words }: DemoImages, encode: EncodeJpeg): Promise<void> {
  const folder = join(root, "CUB_200_2011");
  const names = classes.map((name, i) => `${String(i + 1).padStart(3, "0")}.${slug(name)}`);
  const byClass = [...images].sort((a, b) => a.label - b.label); // ids go class by class, as in the real files
  const paths = byClass.map((image) => `${names[image.label]}/${slug(image.name)}_${image.vendor}.jpg`);
  for (const [i, image] of byClass.entries()) {
    await writeJpeg(join(folder, "images", paths[i]!), image, {
      height: 96 + 16 * (i % 3),
      width: 128 - 16 * (i % 2),
      encode,
    });
  }
  await writeText(join(folder, "classes.txt"), names.map((name, i) => `${i + 1} ${name}`));
  await writeText(join(folder, "images.txt"), paths.map((path, i) => `${i + 1} ${path}`));
  await writeText(join(folder, "image_class_labels.txt"), byClass.map(({ label }, i) => `${i + 1} ${label + 1}`));
  await writeText(
    join(folder, "train_test_split.txt"),
    byClass.map(({ split }, i) => `${i + 1} ${split === "train" ? 1 : 0}`),
  );
  await writeText(join(root, "attributes.txt"), words.map((word, k) => `${k + 1} has_word::${slug(word)}_${k}`));
  await writeText(
    join(folder, "attributes", "image_attribute_labels.txt"),
    byClass.flatMap(({ attributes }, i) =>
      [...attributes].map((value, k) => `${i + 1} ${k + 1} ${value} ${3 + (i + k) % 2} 1.0`)
    ),
  );
}

// Category and SubCategory of the real metadata that stand for the categories of emoji.
const SHOES = [
  ["Shoes", "Oxfords"],
  ["Shoes", "Loafers"],
  ["Shoes", "Flats"],
  ["Shoes", "Heels"],
  ["Shoes", "Sneakers and Athletic Shoes"],
  ["Boots", "Ankle"],
  ["Boots", "Mid-Calf"],
  ["Sandals", "Flat"],
  ["Slippers", "Slipper Flats"],
] as const;

async function writeUtZappos(
  root: string,
  { images, subclasses, words }: DemoImages,
  encode: EncodeJpeg,
): Promise<void> {
  const metadata = ["CID,Category,SubCategory,HeelHeight,Insole,Closure,Gender,Material,ToeStyle"];
  const train = [["path", "CID", ...words.map((_, k) => `attr_val_${k}`)].join(",")];
  for (const [i, image] of images.entries()) {
    const [category, subcategory] = SHOES[image.label]!;
    const path = `${category}/${subcategory}/${image.vendor}/${7000000 + i}.${100 + image.sublabel}.jpg`;
    const cid = `${7000000 + i}-${100 + image.sublabel}`;
    await writeJpeg(join(root, "ut-zap50k-images", path), image, { height: 102, width: 136, encode });
    const closure = image.attributes[0] === 1 ? "Lace up;Zipper" : image.attributes[1] === 1 ? "Zipper" : "";
    metadata.push([cid, category, subcategory, "", "", closure, "", subclasses[image.sublabel], ""].join(","));
    if (image.split === "train") train.push([path, cid, ...image.attributes].join(","));
  }
  await writeText(join(root, "ut-zap50k-data", "meta-data.csv"), metadata);
  await writeText(join(root, "meta_data_bin_train.csv"), train);
}

async function writeImageNet100(root: string, { images, classes }: DemoImages, encode: EncodeJpeg): Promise<void> {
  const ids = classes.map((_, i) => `n${90000000 + i}`);
  for (const [i, image] of images.entries()) {
    const id = ids[image.label]!;
    const path = image.split === "train"
      ? `train/${id}/${id}_${i}.JPEG`
      : `val/${id}/ILSVRC2012_val_${String(i).padStart(8, "0")}.JPEG`;
    await writeJpeg(join(root, path), image, { height: 112 + 16 * (i % 2), width: 128, encode });
  }
  await writeText(join(root, "imagenet100.txt"), ids.toReversed());
}

const FINDINGS =
  "No Finding,Enlarged Cardiomediastinum,Cardiomegaly,Lung Opacity,Lung Lesion,Edema,Consolidation,Pneumonia," +
  "Atelectasis,Pneumothorax,Pleural Effusion,Pleural Other,Fracture,Support Devices";

async function writeCheXpert(root: string, { images }: DemoImages, encode: EncodeJpeg): Promise<void> {
  for (const [split, part] of [["train", "train"], ["valid", "test"]] as const) {
    const lines = [`Path,Sex,Age,Frontal/Lateral,AP/PA,${FINDINGS}`];
    for (const [i, image] of images.filter((each) => each.split === part).entries()) {
      const lateral = i % 5 === 4;
      const path = `${split}/patient${String(i + 1).padStart(5, "0")}/study1/view1_${
        lateral ? "lateral" : "frontal"
      }.jpg`;
      await writeJpeg(join(root, path), image, { height: 144, width: 160, gray: true, encode });
      const view = lateral ? "Lateral," : `Frontal,${i % 2 === 0 ? "AP" : "PA"}`;
      lines.push(`CheXpert-v1.0-small/${path},Unknown,${20 + i % 60},${view},${chexpertLabels(image, i)}`);
    }
    await writeText(join(root, `${split}.csv`), lines);
  }
}

/** The commonest words stand for the findings: 1 where the emoji has the word, else blank, 0 or -1 in turn. */
function chexpertLabels({ attributes }: DemoImage, i: number): string {
  const values = Array.from(
    { length: 13 },
    (_, k) => attributes[k] === 1 ? "1.0" : ["", "", "0.0", "-1.0"][(i + k) % 4]!,
  );
  const healthy = values.every((value) => value !== "1.0") && i % 2 === 0;
  return [healthy ? "1.0" : "", ...values].join(",");
}

async function writeCustom(root: string, { images, classes, words }: DemoImages, encode: EncodeJpeg): Promise<void> {
  const paths: string[] = [];
  for (const image of images) {
    const path = `${slug(classes[image.label]!)}/${slug(image.name)}_${image.vendor}.jpg`;
    await writeJpeg(join(root, image.split, path), image, { height: 64, width: 64, encode });
    paths.push(path);
  }
  const train = images.flatMap((image, i) => image.split === "train" ? [{ image, path: paths[i]! }] : []);
  const data = Float32Array.from(train.flatMap(({ image }) => [...image.attributes]));
  await writeWhole(
    join(root, "custom_prior.npz"),
    npzChunks({
      prior: { shape: [train.length, words.length], dtype: "f32", data },
      paths: { shape: [train.length], dtype: "string", data: train.map(({ path }) => path) },
    }),
  );
}
