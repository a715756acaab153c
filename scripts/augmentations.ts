/**
 * Draws docs/augmentation.png: views of an emoji by each recipe, a row each.
 *
 *     deno run -A scripts/augmentations.ts
 */
import sharp from "sharp";
import { Device, noGrad, type Tensor, tensor } from "../mod.ts";
import {
  augment,
  chexpertRecipe,
  loadEmoji,
  multiCrop,
  naturalRecipe,
  publishedRecipes,
  type Recipe,
} from "../src/data/mod.ts";

const SIZE = 96;
const VIEWS = 8;
const EDGE = 4;

await using _device = await Device.open();
const emoji = await loadEmoji({ vendors: ["google"] });
const at = emoji.names.indexOf("parrot") * 32 * 32 * 3;
const images = tensor(emoji.pixels.google.slice(at, at + 32 * 32 * 3), { shape: [1, 32, 32, 3] });

const { global, local } = multiCrop({ size: SIZE });
const plain = { mean: [0], std: [1] };
const rows: readonly (readonly Recipe[])[] = [
  [naturalRecipe({ size: SIZE })],
  ...(["simclr", "moco", "byol"] as const).map((name) => publishedRecipes(name, { size: SIZE })),
  global,
  [local],
  [chexpertRecipe({ size: SIZE, ...plain })],
  publishedRecipes("radiograph", { size: SIZE }),
];

const side = SIZE + EDGE;
const page = new Uint8Array(rows.length * side * VIEWS * side * 3).fill(255);
for (const [row, recipe] of rows.entries()) {
  const size = recipe[0]!.size;
  using views: Tensor = noGrad(() => augment(images, { indices: [0], recipe, views: VIEWS, seed: 3 }));
  (await views.data()).forEach((value, i) => {
    const [view, y, x, c] = [
      Math.floor(i / (size * size * 3)),
      Math.floor(i / (size * 3)) % size,
      Math.floor(i / 3) % size,
      i % 3,
    ];
    const to = ((row * side + y) * VIEWS * side + view * side + x) * 3 + c;
    page[to] = Math.round(255 * Math.min(1, Math.max(0, value)));
  });
}
const raw = { width: VIEWS * side, height: rows.length * side, channels: 3 } as const;
await sharp(page, { raw }).png({ palette: true, effort: 8 }).toFile(
  new URL("../docs/augmentation.png", import.meta.url).pathname,
);
