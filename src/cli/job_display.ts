import type { Device } from "../device/mod.ts";
import type { ObtainProgress } from "../data/mod.ts";
import { jsonLine } from "../formats/internal.ts";
import type { JobEvent, JobSettings } from "../jobs/mod.ts";
import type { TrainingPosition } from "../checkpoints/mod.ts";
import { ProgressDisplay } from "./progress.ts";

/** Shows a job: a bar in a terminal, plain lines elsewhere, one JSON object a line for machines. */
export class JobDisplay {
  #device: Device | null = null;
  #json: boolean;
  #settings: JobSettings;
  #progress: ProgressDisplay;
  #log: (line: string) => void;
  #compiles = false;
  /** Share of the training that was done before. */
  #from = 0;

  /** Prepares a display; `progress` and `log` stand in for the terminal in tests. */
  constructor(
    options: { json: boolean; settings: JobSettings; progress?: ProgressDisplay; log?: (line: string) => void },
  ) {
    this.#json = options.json;
    this.#settings = options.settings;
    this.#progress = options.progress ?? new ProgressDisplay();
    this.#log = options.log ?? console.log;
  }

  /** Shows the memory of a device from now on. */
  watch(device: Device): void {
    this.#device = device;
  }

  /** A sentence for the person. */
  note(message: string): void {
    if (this.#json) this.#log(jsonLine({ type: "note", message }));
    else this.#progress.print(message);
  }

  /** A download or an archive. */
  obtaining({ step, name, done, total }: ObtainProgress): void {
    if (this.#json) return;
    const amount = step === "download" ? `${(done / 2 ** 20).toFixed(0)} MB` : `${done} files`;
    this.#progress.update({ label: `${step} ${name}`, done: total ? done / total : 0, values: [["done", amount]] });
  }

  /** Images that are decoded before training. */
  decoding(done: number, total: number): void {
    if (!this.#json) this.#progress.update({ label: "decode", done: done / total, values: [["images", `${done}`]] });
  }

  /** Shaders that are compiled before the first step. */
  compiling(done: number, total: number): void {
    if (this.#json) {
      if (!this.#compiles || done === total) this.#log(jsonLine({ type: "compiling", done, total }));
    } else {
      if (!this.#compiles) this.#progress.restart(done / total);
      this.#progress.update({ label: "compile", done: done / total, values: [["shaders", `${done} of ${total}`]] });
      if (done === total) this.#progress.restart(this.#from);
    }
    this.#compiles = done < total;
  }

  /** An event of the job. */
  show(event: JobEvent): void {
    if (this.#json) return this.#log(jsonLine(event));
    const { epochs } = this.#settings;
    switch (event.type) {
      case "note":
        return this.note(event.message);
      case "start":
        return this.#start(event);
      case "step":
        return this.#step(event);
      case "evaluated": {
        const { epoch, queries } = event;
        const text = "knn_top1" in event
          ? `top-1 ${percent(event.knn_top1)}, top-5 ${percent(event.knn_top5)}`
          : `mean AUROC ${event.knn_mean_auroc.toFixed(3)}`;
        return this.note(`k-NN after epoch ${epoch}/${epochs}: ${text} of ${queries} images${this.#demo()}`);
      }
      case "end":
        return this.#end(event);
    }
  }

  #start({ facts, position, steps }: JobEvent & { type: "start" }): void {
    const { epochs, network, batch_size } = this.#settings;
    this.#progress.restart(this.#from = (position.epoch + position.step / steps) / epochs);
    this.note(
      `${network} (${facts.parameters.toLocaleString("en")} parameters) on ${facts.images} images${this.#demo()}, ` +
        `batch ${batch_size}, ${steps} ${steps === 1 ? "step" : "steps"} an epoch; ${facts.device}`,
    );
    if (position.epoch > 0 || position.step > 0) {
      this.note(
        position.epoch >= epochs
          ? `The run is complete (${epochs} epochs): give another --save_dir for a new one`
          : `Going on ${goneOnFrom(position, epochs)}`,
      );
    }
  }

  #step({ epoch, step, steps, loss, centroid_square, lr, images_per_second }: JobEvent & { type: "step" }): void {
    const { epochs } = this.#settings;
    const memory = this.#device ? this.#device.memory.live + this.#device.memory.pooled : 0;
    this.#progress.update({
      label: `epoch ${epoch}/${epochs}`,
      done: (epoch - 1 + step / steps) / epochs,
      values: [
        ["loss", loss.toFixed(4)],
        ["centroid²", centroid_square.toFixed(4)],
        ["lr", lr.toPrecision(3)],
        ["images/s", images_per_second.toFixed(images_per_second < 10 ? 2 : 0)],
        ["GPU", `${Math.ceil(memory / 2 ** 20)} MB`],
      ],
    });
  }

  #end({ complete, path, profile }: JobEvent & { type: "end" }): void {
    if (profile) {
      const parts = Object.entries(profile).map(([name, milliseconds]) => `${name} ${milliseconds.toFixed(1)} ms`);
      this.note(`Time of a step: ${parts.join(", ")}`);
    }
    this.note(complete ? `Done: ${path}` : `Stopped and saved: ${path}; the same command goes on from here`);
    this.note(`Report: ${path.replace(/last\.safetensors$/, "report.html")}${this.#demo()}`);
  }

  #demo(): string {
    return this.#settings.demo ? " (demo data)" : "";
  }
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

/** Names what was done before a run goes on. */
function goneOnFrom({ epoch, step }: TrainingPosition, epochs: number): string {
  return step === 0 ? `after epoch ${epoch}/${epochs}` : `in epoch ${epoch + 1}/${epochs}, after step ${step}`;
}
