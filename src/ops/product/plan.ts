// How a product is computed: in which form, and into how many parts its sum is split; by the table, or as it was timed.
import type { FloatDType, Tensor } from "../../tensor/mod.ts";
import { floatOf } from "../../tensor/internal.ts";
import type { Question } from "../shared/answers.ts";
import type { Policy } from "../shared/policy.ts";
import {
  type Allowed,
  chooseForm,
  chooseSplits,
  forcedForm,
  formNamed,
  formOptions,
  type ProductForm,
  workgroupCount,
} from "./forms.ts";

/** A way to compute a product. */
export interface Plan {
  readonly form: ProductForm;
  /** Number of parts of the sum over k (split-K). */
  readonly splits: number;
}

/** Sizes that a plan depends on. */
export interface PlanSizes extends Allowed {
  /** Rows of the result; `4 cols4` columns. */
  readonly rows: number;
  readonly cols4: number;
  /** Results. */
  readonly batch: number;
  /** Terms of the sum. */
  readonly terms: number;
  /** Bytes of all results: each part of the sum makes as many. */
  readonly resultBytes: number;
  /** Maximum number of parts of a sum (split-K); no limit by default. */
  readonly mostSplits?: number;
  /** Whether to try only as few parts as the table says, or fewer: a sum in parts leaves no moments. */
  readonly whole?: boolean;
}

/** Forms that compute more than this many times what the best fitting one does are not tried. */
const MOST_WASTE = 1.5;

/** Bytes of a b that may be read through a texture: 0 where it is f16. */
export function textureBytesOf(b: Tensor): number {
  return floatOf(b) === "f32" ? b.storage.bytes : 0;
}

/** The plan for a product; `ask` names it and makes inputs for timing it. */
export function choosePlan(policy: Policy, sizes: PlanSizes, ask: () => Pick<Question, "key" | "prepare">): Plan {
  const usual = tablePlan(policy, sizes);
  const { sums } = sizes;
  if (forcedForm(policy, sizes)) return usual;
  const name = nameOf(usual);
  const answer = policy.decide(name, () => {
    const { key, prepare } = ask();
    return { key: `${key}${sumsNote(sums)}`, prepare, sums, candidates: () => candidates(policy, sizes, name) };
  });
  return answer === name ? usual : planNamed(answer);
}

/** The plan of the table, for a product of which there are too many sizes to time each. */
export function tablePlan(policy: Policy, sizes: PlanSizes): Plan {
  const { rows, cols4, batch } = sizes;
  return usualPlan(policy, sizes, chooseForm(policy, rows, cols4, batch, sizes));
}

/** Formats what a question says of sums: nothing where they are f32. */
export function sumsNote(sums: FloatDType = "f32"): string {
  return sums === "f16" ? " sums f16" : "";
}

function usualPlan(policy: Policy, sizes: PlanSizes, form: ProductForm): Plan {
  const { rows, cols4, batch, terms, resultBytes, mostSplits = Infinity } = sizes;
  const blocks = workgroupCount(form, rows, cols4) * batch;
  return { form, splits: Math.min(mostSplits, chooseSplits(policy, form, blocks, terms, resultBytes)) };
}

/** The usual plan first; every form that suits the adapter and the shape, with the parts of its table and some more or fewer. */
function candidates(policy: Policy, sizes: PlanSizes, usual: string): string[] {
  const names = new Set([usual]);
  const computed = (form: ProductForm) => workgroupCount(form, sizes.rows, sizes.cols4) * form.rows * form.cols4;
  const forms = formOptions(policy, sizes);
  const least = Math.min(...forms.map(computed));
  for (const form of forms.filter((form) => computed(form) <= MOST_WASTE * least)) {
    const { splits } = usualPlan(policy, sizes, form);
    const [fewest, limit] = splitBounds(policy, sizes, form);
    const most = sizes.whole ? splits : limit;
    for (const parts of [splits, 1, splits / 4, splits / 2, 2 * splits]) {
      names.add(nameOf({ form, splits: Math.max(fewest, Math.min(most, Math.ceil(parts))) }));
    }
  }
  return [...names];
}

/** Bounds the number of parts that the lengths of loops and the memory allow. */
function splitBounds(policy: Policy, sizes: PlanSizes, form: ProductForm): [number, number] {
  const { terms, resultBytes, mostSplits = Infinity } = sizes;
  const fewest = chooseSplits(policy, form, Infinity, terms, resultBytes);
  const most = chooseSplits(policy, form, 0, terms, resultBytes);
  return [Math.min(fewest, mostSplits), Math.min(most, mostSplits)];
}

function nameOf({ form, splits }: Plan): string {
  return `${form.name} ${splits}`;
}

/** The plan of a name that came from `candidates()`. */
function planNamed(name: string): Plan {
  const [form, splits] = name.split(" ") as [ProductForm["name"], string];
  return { form: formNamed(form), splits: Number(splits) };
}
