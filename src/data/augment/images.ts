import { Device } from "../../device/mod.ts";
import { Tensor, tensor } from "../../tensor/mod.ts";
import type { RgbImage } from "../images/rgb_image.ts";
import { checkOptions } from "../../tensor/internal.ts";

/** Images of any sizes on the device, one behind the other: those of one batch. */
export interface PackedImages {
  /** Bytes of all images, `u8`, each `[height, width, channels]`. */
  readonly bytes: Tensor;
  /** Offset in bytes, height and width of each image, `u32 [batch, 3]`. */
  readonly table: Tensor;
  /** Number of channels, 1 or 3. */
  readonly channels: number;
  /** Height of the highest and width of the widest image, px. */
  readonly largest: readonly [number, number];
}

/** Images to augment: `u8 [n, h, w, c]` that stay on the device, of which indices pick a batch, or the packed images of a batch. */
export type Images = Tensor | PackedImages;

/**
 * Uploads the images of a batch, of any sizes.
 *
 * @param images Bytes `[height, width, 3]` and sizes of each, as the decoder gives them.
 * @returns Tensors that belong to the innermost scope.
 * @throws {TypeError} If the bytes of one do not match its size, or there is none.
 *
 * @example Usage
 * ```ts
 * import { Device } from "@decoupled/uniformity";
 * import { augment, evalTransform, packImages } from "@decoupled/uniformity/data";
 * import { assertClose } from "@decoupled/uniformity/testing";
 *
 * await using _device = await Device.open();
 * const images = packImages([{ data: new Uint8Array(5 * 4 * 3).fill(255), height: 5, width: 4 }]);
 * const views = augment(images, { indices: [0], recipe: evalTransform({ size: 2, resize: 2 }), views: 1 });
 * assertClose(await views.data(), new Float32Array(12).fill(1));
 * ```
 */
export function packImages(images: readonly RgbImage[], options: { device?: Device } = {}): PackedImages {
  checkOptions("run packImages()", options, ["device"]);
  const { device = Device.current } = options;
  if (images.length === 0) throw new TypeError("Cannot pack images as there must be at least one: got none");
  const table = new Uint32Array(3 * images.length);
  const largest: [number, number] = [0, 0];
  let total = 0;
  images.forEach(({ data, height, width }, i) => {
    if (height < 1 || width < 1 || data.length !== height * width * 3) {
      throw new TypeError(
        `Cannot pack images as image ${i} must have ${height} x ${width} x 3 bytes: got ${data.length}`,
      );
    }
    table.set([total, height, width], 3 * i);
    total += data.length;
    largest[0] = Math.max(largest[0], height);
    largest[1] = Math.max(largest[1], width);
  });
  const bytes = new Uint8Array(total);
  images.forEach(({ data }, i) => bytes.set(data, table[3 * i]));
  return {
    bytes: tensor(bytes, { device }),
    table: tensor(table, { shape: [images.length, 3], device }),
    channels: 3,
    largest,
  };
}

/** Location of images, for the shaders. */
export interface Source {
  /** Whether a batch of packed images comes with its table. */
  readonly table?: Tensor;
  /** The bytes. */
  readonly bytes: Tensor;
  /** Number of channels, 1 or 3. */
  readonly channels: number;
  /** Height of the highest and width of the widest image, px. */
  readonly largest: readonly [number, number];
  /** Scalars of `lib/images_resident.wgsl`; 0 for packed images. */
  readonly params: { readonly images: number; readonly image_h: number; readonly image_w: number };
}

/** Checks images for a batch of so many samples. */
export function locateImages(images: Images, batch: number): Source {
  return images instanceof Tensor ? residentSource(images) : packedSource(images, batch);
}

function residentSource(bytes: Tensor): Source {
  const [n, h, w, c] = bytes.shape;
  if (bytes.dtype === "u8" && bytes.rank === 4 && h! > 0 && w! > 0 && (c === 1 || c === 3)) {
    return { bytes, channels: c, largest: [h!, w!], params: { images: n!, image_h: h!, image_w: w! } };
  }
  throw new TypeError(
    `Cannot augment() as images must be u8 [n, h, w, 3] or [n, h, w, 1]: got ${bytes.dtype} [${bytes.shape}]`,
  );
}

function packedSource({ bytes, table, channels, largest }: PackedImages, batch: number): Source {
  if (bytes.dtype !== "u8" || table.dtype !== "u32" || table.rank !== 2 || table.shape[1] !== 3) {
    throw new TypeError(
      `Cannot augment() as packed images must be u8 bytes and a u32 [batch, 3] table: got ${bytes.dtype} ` +
        `[${bytes.shape}] and ${table.dtype} [${table.shape}]`,
    );
  }
  if (channels !== 1 && channels !== 3) {
    throw new TypeError(`Cannot augment() as packed images must have 1 or 3 channels: got ${channels}`);
  }
  if (table.shape[0] !== batch) {
    throw new TypeError(
      `Cannot augment() as there must be one packed image for each index: got ${table.shape[0]} and ${batch}`,
    );
  }
  return { bytes, table, channels, largest, params: { images: 0, image_h: 0, image_w: 0 } };
}
