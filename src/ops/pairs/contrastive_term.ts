import { defineProgram } from "../../device/mod.ts";
import { lib_flat, lib_nan, lib_rows } from "../../shaders/lib.ts";
import { contrastive_term as code } from "../../shaders/pairs.ts";
import { defineOp } from "../../autograd/mod.ts";
import { Tensor } from "../../tensor/mod.ts";
import { checkOptions, checkSetting } from "../../tensor/internal.ts";
import { checkFloat } from "../shared/check.ts";
import { laneForm } from "../shared/lanes.ts";
import { rowConstants } from "../shared/rows.ts";
import { mean } from "../reduce/sum.ts";

const TYPES = "alias F = f32; alias U = u32; alias B = bool;";

function programs(owner: string) {
  const perRow = defineProgram({
    name: "contrastiveTerm",
    code: [TYPES, lib_flat, lib_nan, lib_rows, `fn sample_owner(sample: u32) -> u32 { return ${owner}; }`, code],
    entryPoint: "per_row",
  });
  return { perRow, backward: { ...perRow, entryPoint: "backward" } };
}

const BY_SAMPLE = programs("sample");
const BY_LABEL = programs("labels[sample]");

interface Attrs {
  readonly views: number;
  readonly scale: number;
}

const contrastiveTermOp = defineOp<[Tensor] | [Tensor, Tensor], Attrs>({
  name: "contrastiveTerm",
  forward(context, [s, labels], attrs) {
    const { device } = s;
    const rows = s.shape[0]!;
    const [losses, lse, positives] = [0, 1, 2].map(() => new Tensor(device, [rows])) as [Tensor, Tensor, Tensor];
    const constants = rowConstants(device, rows);
    device.dispatch(laneForm(device, (labels ? BY_LABEL : BY_SAMPLE).perRow, constants.LANES), {
      params: { rows, ...attrs },
      buffers: { 1: s.storage, 2: labels?.storage, 3: losses.storage, 4: lse.storage, 5: positives.storage },
      workgroups: device.groups(rows, constants.ROWS),
      constants,
    });
    context.save(s, lse, positives, ...(labels ? [labels] : []));
    return mean(losses);
  },
  backward({ saved }, grad, attrs) {
    const [s, lse, positives, labels] = saved as [Tensor, Tensor, Tensor, Tensor?];
    const { device } = s;
    const rows = s.shape[0]!;
    const gradS = new Tensor(device, s.shape);
    device.dispatch((labels ? BY_LABEL : BY_SAMPLE).backward, {
      params: { rows, ...attrs },
      buffers: {
        1: s.storage,
        2: labels?.storage,
        4: lse.storage,
        5: positives.storage,
        6: grad.storage,
        7: gradS.storage,
      },
      workgroups: device.groups(rows * rows, 64),
    });
    return labels ? [gradS, null] : [gradS];
  },
});

/** The inverse, which the shader multiplies by, is an f32 up to here. */
const MOST_TEMPERATURE = 8e37;

/** Options of {@linkcode contrastiveTerm}. */
export interface ContrastiveTermOptions {
  /** Rows of a sample, which lie together; ≥ 2. */
  readonly views: number;
  /** τ > 0. */
  readonly temperature: number;
  /** Classes of the samples, u32 `[n / views]`: rows of one class are positives. Each sample is a class by default. */
  readonly labels?: Tensor;
}

/**
 * The contrastive cross-entropy of a matrix of similarities: each row must tell its positives P(i), the other rows of its
 * class, from all other rows: `mean_i (log Σ_{a≠i} exp(s[i, a] / τ) − mean_{p∈P(i)} s[i, p] / τ)`.
 *
 * @param s Similarities, f32 `[n, n]`; the diagonal counts for nothing.
 * @param options `views`, `temperature` and `labels`.
 * @returns f32 `[]`.
 * @throws {TypeError} If `s` is not f32 `[n, n]`, or the labels are not u32 `[n / views]`.
 * @throws {RangeError} If `views` is not an integer ≥ 2 that divides n ≥ 1, or `temperature` not
 *   > 0 and ≤ 8e37 as an f32.
 *
 * @example Usage
 * ```ts
 * import { Device, zeros } from "@decoupled/uniformity";
 * import { contrastiveTerm } from "@decoupled/uniformity/ops";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const loss = contrastiveTerm(zeros([6, 6]), { views: 2, temperature: 0.5 });
 * assertAlmostEquals(await loss.item(), Math.log(5), 1e-6); // one of five others, none more alike
 * ```
 *
 * @see Khosla et al., "Supervised Contrastive Learning", arXiv:2004.11362, equation 2.
 */
export function contrastiveTerm(s: Tensor, options: ContrastiveTermOptions): Tensor<"f32"> {
  checkOptions("compute contrastiveTerm()", options, ["views", "temperature", "labels"]);
  const { views, temperature, labels } = options;
  const n = s.shape[0]!;
  if (s.rank !== 2 || s.shape[1] !== n) {
    throw new TypeError(`Cannot compute contrastiveTerm() as s must be [n, n]: got s [${s.shape}]`);
  }
  checkFloat("contrastiveTerm", s);
  if (!(Number.isInteger(views) && views >= 2 && n > 0 && n % views === 0)) {
    throw new RangeError(
      `Cannot compute contrastiveTerm() as views must be an integer >= 2 that divides the rows: got ${views} and ` +
        `s [${s.shape}]`,
    );
  }
  checkSetting("compute contrastiveTerm()", "temperature", temperature, { most: MOST_TEMPERATURE });
  if (labels && (labels.dtype !== "u32" || labels.rank !== 1 || labels.shape[0] !== n / views)) {
    throw new TypeError(
      `Cannot compute contrastiveTerm() as labels must be u32 [${n / views}]: got labels ${labels.dtype} ` +
        `[${labels.shape}] and s [${s.shape}]`,
    );
  }
  return contrastiveTermOp(labels ? [s, labels] : [s], { views, scale: 1 / temperature });
}
