// How a product is computed: by which body, and into how many parts its sum is split; by the table, or as it was timed.
import type { Device } from "../../device/mod.ts";
import { blocksOf, type Body, bodyNamed, bodyOptions, chooseBody, chooseSplits, isBodyForced } from "./bodies.ts";
import { decide, type Question } from "./choices.ts";

/** A way to compute a product. */
export interface Plan {
  readonly body: Body;
  /** Parts of the sum. */
  readonly splits: number;
}

/** What a plan depends on. */
export interface PlanSizes {
  /** Rows of the result; `4 cols4` columns. */
  readonly rows: number;
  readonly cols4: number;
  /** Results. */
  readonly batch: number;
  /** Terms of the sum. */
  readonly terms: number;
  /** Bytes of all results: each part of the sum makes as many. */
  readonly resultBytes: number;
  /** Most parts; no limit by default. */
  readonly mostSplits?: number;
  /** Whether to try only as few parts as the table says, or fewer: a sum in parts leaves no moments. */
  readonly whole?: boolean;
}

/** Bodies that compute more than this many times what the best fitting one does are not tried. */
const MOST_WASTE = 1.5;

/** The plan for a product; `ask` names it and rehearses it. */
export function choosePlan(device: Device, sizes: PlanSizes, ask: () => Pick<Question, "key" | "rehearse">): Plan {
  const usual = tablePlan(device, sizes);
  if (isBodyForced()) return usual;
  const name = nameOf(usual);
  const answer = decide(device, name, () => ({ ...ask(), candidates: () => candidates(device, sizes, name) }));
  return answer === name ? usual : planNamed(answer);
}

/** The plan of the table, for a product of which there are too many sizes to time each. */
export function tablePlan(device: Device, sizes: PlanSizes): Plan {
  const { rows, cols4, batch } = sizes;
  return usualPlan(device, sizes, chooseBody(device, rows, cols4, batch));
}

function usualPlan(device: Device, sizes: PlanSizes, body: Body): Plan {
  const { rows, cols4, batch, terms, resultBytes, mostSplits = Infinity } = sizes;
  const blocks = blocksOf(body, rows, cols4) * batch;
  return { body, splits: Math.min(mostSplits, chooseSplits(device, body, blocks, terms, resultBytes)) };
}

/** The usual plan first; every body that suits the adapter and the shape, with the parts of its table and some more or fewer. */
function candidates(device: Device, sizes: PlanSizes, usual: string): string[] {
  const names = new Set([usual]);
  const computed = (body: Body) => blocksOf(body, sizes.rows, sizes.cols4) * body.rows * body.cols4;
  const bodies = bodyOptions(device);
  const least = Math.min(...bodies.map(computed));
  for (const body of bodies.filter((body) => computed(body) <= MOST_WASTE * least)) {
    const { splits } = usualPlan(device, sizes, body);
    const [fewest, limit] = splitBounds(device, sizes, body);
    const most = sizes.whole ? splits : limit;
    for (const parts of [splits, 1, splits / 4, splits / 2, 2 * splits]) {
      names.add(nameOf({ body, splits: Math.max(fewest, Math.min(most, Math.ceil(parts))) }));
    }
  }
  return [...names];
}

/** Fewest and most parts that the lengths of loops and the memory allow. */
function splitBounds(device: Device, sizes: PlanSizes, body: Body): [number, number] {
  const { terms, resultBytes, mostSplits = Infinity } = sizes;
  const fewest = chooseSplits(device, body, Infinity, terms, resultBytes);
  const most = chooseSplits(device, body, 0, terms, resultBytes);
  return [Math.min(fewest, mostSplits), Math.min(most, mostSplits)];
}

function nameOf({ body, splits }: Plan): string {
  return `${body.name} ${splits}`;
}

/** The plan of a name that came from `candidates()`. */
function planNamed(name: string): Plan {
  const [body, splits] = name.split(" ") as [Body["name"], string];
  return { body: bodyNamed(body), splits: Number(splits) };
}
