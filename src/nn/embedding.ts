import { concat, embedding } from "../ops/mod.ts";
import { key, normal, type Tensor, tidy, zeros } from "../tensor/mod.ts";
import { checkOptions, checkSizes } from "../tensor/internal.ts";
import type { InitOptions } from "./init.ts";
import { Module } from "./module.ts";
import { Table } from "./parameter.ts";

/** Sizes of an {@linkcode Embedding}. */
export interface EmbeddingLayerOptions extends Partial<InitOptions> {
  /** Rows of the table. */
  numEmbeddings: number;
  /** Features of a row. */
  embeddingDim: number;
  /** A row that is 0 at first and does not learn, counted from the end where negative; none by default. */
  paddingIdx?: number;
}

/**
 * A table of vectors that are looked up by number, as PyTorch's `nn.Embedding`.
 *
 * @example Usage
 * ```ts
 * import { Device, tensor } from "@decoupled/uniformity";
 * import { Embedding } from "@decoupled/uniformity/nn";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const words = new Embedding({ numEmbeddings: 10, embeddingDim: 4, paddingIdx: 0 });
 * assertEquals(words.forward(tensor(new Uint32Array([3, 0, 3]))).shape, [3, 4]);
 * ```
 */
export class Embedding extends Module {
  /** The table `[numEmbeddings, embeddingDim]`. */
  readonly weight: Table;
  /** Options that the layer was made with. */
  readonly options: Readonly<EmbeddingLayerOptions>;

  /** Draws the rows from N(0, 1), as PyTorch. */
  constructor(options: EmbeddingLayerOptions) {
    super();
    checkOptions("make Embedding", options, ["numEmbeddings", "embeddingDim", "paddingIdx", "key", "device"]);
    const { numEmbeddings: rows, embeddingDim: width, paddingIdx, device } = options;
    checkSizes("make Embedding", { numEmbeddings: rows, embeddingDim: width });
    this.options = options;
    this.weight = new Table(tidy(() => {
      const draw = (count: number, part: number) => {
        const [a, b] = options.key ?? key(0);
        return normal([count, width], { key: key(a, b, part), device });
      };
      if (paddingIdx === undefined) return draw(rows, 0);
      const row = paddingIdx < 0 ? paddingIdx + rows : paddingIdx;
      if (!Number.isInteger(row) || row < 0 || row >= rows) {
        throw new RangeError(
          `Cannot make Embedding as paddingIdx must be in [${-rows}, ${rows - 1}]: got ${paddingIdx}`,
        );
      }
      return concat([draw(row, 0), zeros([1, width], { device }), draw(rows - row - 1, 1)], 0);
    }));
  }

  /** Maps row numbers of any shape, u32 or i32, to `[…, embeddingDim]`. */
  override forward(indices: Tensor): Tensor<"f32"> {
    return embedding(this.weight, indices, { paddingIdx: this.options.paddingIdx });
  }
}
