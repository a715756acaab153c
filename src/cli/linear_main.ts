import { jsonLine } from "../formats/internal.ts";
import { type DemoName, type ImageDataset, type ObtainProgress, writeDemo } from "../data/mod.ts";
import { Device } from "../device/mod.ts";
import { firstBeforeOthers, openCommunicator } from "../distributed/mod.ts";
import { describeRanks, type LinearEvent, linearJob, type LinearSettings } from "../jobs/mod.ts";
import { type LoadedEncoder, loadEncoder, randomEncoder, readClassifiers } from "../eval/mod.ts";
import { type LinearFlags, parseLinear } from "./linear_flags.ts";
import { LinearLive } from "./linear_live.ts";
import { LiveReport } from "./live_report.ts";
import { loadLinearData } from "./linear_data.ts";
import { withoutEffect } from "./original_flags.ts";
import { ProgressDisplay } from "./progress.ts";

const DEMO_SIZE = { train: 512, test: 256 } as const;
const SMALL_IMAGES = ["cifar10", "cifar100", "utzappos"];

/** Runs the linear evaluation: reads flags, loads encoder and images, fits, scores, writes, shows. */
export async function linearMain(args: readonly string[]): Promise<void> {
  const flags = parseLinear(args);
  if (!flags) return;
  const group = openCommunicator({ required: flags.distributed });
  const display = new LinearDisplay(flags.json, group.rank > 0);
  for (const message of withoutEffect(args)) display.show({ type: "note", message });
  const root = flags.root ?? `data/${flags.demo ? "demo/" : ""}${flags.db}`;
  const saveDir = flags.save_dir ?? `runs/linear_${flags.db}`;
  await using device = await Device.open();
  if (group.size > 1) { for (const message of describeRanks(group, device)) display.show({ type: "note", message }); }
  const loaded = await openEncoder(flags, device);
  const { train, test, columns } = await firstBeforeOthers(group, async () => {
    if (flags.demo) await writeDemo(flags.db as DemoName, root, DEMO_SIZE);
    return await loadLinearData(flags, root, { onProgress: (each) => display.obtaining(each) });
  });
  const file = flags.resume ?? `${saveDir}/classifier.safetensors`;
  const classifiers = !flags.evaluate ? undefined : group.rank === 0 ? await readClassifiers(file) : []; // rank 0 scores
  const facts = {
    db: flags.db,
    root,
    checkpoint: flags.pretrained ?? "none: random weights",
    ...flags.demo ? { demo: "emoji images, not the data set itself" } : {},
    ...columns ? { uncertain_labels: flags.chexpert_uncertain } : {},
  };
  const settings = settingsOf(flags, loaded, train, columns);
  const job = linearJob({ device, loaded, train, test, settings, saveDir, facts, classifiers, group });
  await follow(job, display, group.rank === 0 && flags.watch ? startLive(flags, test, display) : null);
  await group.barrier();
  group.close();
}

/** Shows what happens, and ends the live page with the evaluation, however that ends. */
async function follow(job: AsyncIterable<LinearEvent>, display: LinearDisplay, page: LinearLive | null): Promise<void> {
  await using live = page;
  for await (const event of job) {
    display.show(event);
    await live?.show(event);
  }
}

/** Serves a page while the evaluation goes on. */
function startLive(
  { watch_port: port, demo }: LinearFlags,
  { name }: ImageDataset,
  display: LinearDisplay,
): LinearLive {
  const title = `Linear evaluation on ${name}${demo ? " (demo data)" : ""}`;
  const live = LiveReport.start({ port, title });
  display.show({ type: "note", message: `Live report: ${live.url}` });
  return new LinearLive(live, title);
}

function settingsOf(
  flags: LinearFlags,
  loaded: LoadedEncoder,
  train: ImageDataset,
  columns: readonly string[] | null,
): LinearSettings {
  return {
    feature: flags.feature === "pooled" ? "pooled" as const : "fc" as const,
    ...{ epochs: flags.epochs, batch_size: flags.batch_size, lr: flags.lr, momentum: flags.momentum, wd: flags.wd },
    ...{ workers: flags.workers, seed: flags.seed, label_share: flags.label_share, maps: flags.maps, columns },
    tensorboard: flags.tensorboard,
    resolution: flags.resolution ?? loaded.resolution ?? train.resolution,
    augmented: flags.method === "augmented" || (flags.method === "auto" && flags.db === "imagenet100"),
    method: flags.method === "logistic" || flags.method === "sgd" ? flags.method : null,
  };
}

async function openEncoder(flags: LinearFlags, device: Device): Promise<LoadedEncoder> {
  const { pretrained, network, seed, prefix, stem_padding: stemPadding } = flags;
  if (pretrained === undefined) {
    return randomEncoder(network!, { stem: SMALL_IMAGES.includes(flags.db) ? "cifar" : "imagenet", seed, device });
  }
  const found = await Deno.stat(pretrained).then(({ isFile }) => isFile, () => false);
  if (!found) {
    throw new Deno.errors.NotFound(
      `Cannot evaluate "${pretrained}": there is no such file (--random evaluates an untrained encoder on purpose)`,
    );
  }
  return await loadEncoder(pretrained, { network, device, prefix, stemPadding });
}

/** Shows an evaluation: sentences and a bar, or one JSON object a line; on ranks but the first, nothing. */
class LinearDisplay {
  readonly #json: boolean;
  readonly #silent: boolean;
  readonly #progress = new ProgressDisplay();
  #label = "";

  constructor(json: boolean, silent: boolean) {
    this.#json = json;
    this.#silent = silent;
  }

  /** A download or an archive. */
  obtaining({ step, name, done, total }: ObtainProgress): void {
    if (this.#json || this.#silent) return;
    this.#progress.update({ label: `${step} ${name}`, done: total ? done / total : 0, values: [] });
  }

  /** An event of the job. */
  show(event: LinearEvent): void {
    if (this.#silent) return;
    if (this.#json) return console.log(jsonLine(event));
    switch (event.type) {
      case "note":
        return this.#progress.print(event.message);
      case "progress":
        if (event.label !== this.#label) this.#progress.restart();
        this.#label = event.label;
        return this.#progress.update({ label: event.label, done: event.done, values: [["", event.text]] });
      case "result":
        return this.#result(event);
      case "end":
        return this.#end(event);
    }
  }

  #end({ files, statistics }: LinearEvent & { type: "end" }): void {
    const { alignment, uniformity, effective_rank: rank, samples } = statistics;
    this.#progress.print(
      `alignment ${alignment.toFixed(3)}, uniformity ${uniformity.toFixed(3)}, effective rank ${rank.toFixed(1)} ` +
        `(${samples} test images)`,
    );
    this.#progress.print(`Written: ${files.join(", ")}`);
  }

  #result(event: LinearEvent & { type: "result" }): void {
    const percent = (share: number) => `${(100 * share).toFixed(2)} %`;
    const chosen = Object.entries(event.chosen).map(([name, value]) => `${name} ${value}`).join(", ");
    const own = event.classes.length === 2 ? event.auroc[1] : null;
    const interval = own ?? event.mean_auroc_interval;
    const area = `${own ? "" : "mean "}AUROC ${(own?.auc ?? event.mean_auroc)?.toFixed(3) ?? "–"}${
      interval ? ` (95 % ${interval.low.toFixed(3)} to ${interval.high.toFixed(3)})` : ""
    }`;
    const top5 = event.top5 === null ? "" : `top-5 ${percent(event.top5)}, `;
    this.#progress.print(
      `${event.task}: top-1 ${percent(event.top1)}, ${top5}balanced ${
        percent(event.balanced_accuracy)
      }, ${area}, k-NN ${percent(event.knn_top1)}; ` +
        [`${event.train_samples} + ${event.test_samples} images`, event.method, chosen].filter((each) => each !== "")
          .join(", "),
    );
  }
}
