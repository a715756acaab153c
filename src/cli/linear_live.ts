import type { LinearEvent } from "../jobs/mod.ts";
import { type Html, html, lineChart, page, type Section, table } from "../report/mod.ts";
import type { LiveReport } from "./live_report.ts";

/** Time between two pages that only say how far a step is, ms. */
const PAUSE = 1000;

/** Numbers of an epoch of a classifier that is trained. */
type Epoch = Readonly<Record<string, number>>;

/** Page of a linear evaluation while it goes on: how far its steps are, what was scored, and its report at the end. */
export class LinearLive implements AsyncDisposable {
  readonly #live: LiveReport;
  readonly #title: string;
  readonly #steps = new Map<string, LinearEvent & { type: "progress" }>();
  readonly #results: (LinearEvent & { type: "result" })[] = [];
  readonly #notes: string[] = [];
  readonly #epochs: Epoch[] = [];
  #shown = -Infinity;

  /** Shows on a page that is served already. */
  constructor(live: LiveReport, title: string) {
    this.#live = live;
    this.#title = title;
  }

  /** Takes an event of the job. */
  async show(event: LinearEvent): Promise<void> {
    if (event.type === "end") return this.#live.show(await Deno.readTextFile(reportOf(event)));
    if (event.type === "note") this.#notes.push(event.message);
    if (event.type === "result") this.#results.push(event);
    if (event.type === "progress") {
      this.#steps.set(event.label, event);
      if (event.values) this.#epochs.push(event.values);
      if (event.done < 1 && performance.now() - this.#shown < PAUSE) return;
    }
    this.#live.show(await this.#page());
    this.#shown = performance.now();
  }

  /** Ends the page. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#live[Symbol.asyncDispose]();
  }

  async #page(): Promise<string> {
    const steps = [...this.#steps.values()].map(({ label, done, text }) => [label, percent(done), text]);
    const sections: Section[] = [];
    if (steps.length > 0) sections.push({ heading: "Progress", body: table(["step", "done", ""], steps) });
    if (this.#results.length > 0) sections.push({ heading: "Scores so far", body: this.#scores() });
    if (this.#epochs.length > 1) sections.push({ heading: "Training", body: await this.#curves() });
    if (this.#notes.length > 0) {
      sections.push({ heading: "Notes", body: html`${this.#notes.map((each) => html`<p>${each}</p>`)}` });
    }
    return page(this.#title, "The evaluation goes on; its report takes the place of this page.", sections);
  }

  #scores(): Html {
    const header = ["task", "top-1", "balanced", "k-NN top-1", "mean AUROC"];
    return table(
      header,
      this.#results.map((each) => [
        each.task,
        ...[each.top1, each.balanced_accuracy, each.knn_top1].map(percent),
        each.mean_auroc?.toFixed(3) ?? "–",
      ]),
    );
  }

  async #curves(): Promise<Html> {
    const chart = (key: string, name: string, y: string) => {
      const points = this.#epochs.map((each) => ({ x: each.epoch!, y: each[key]! }));
      return lineChart([{ name, points }], { x: "epoch", y, whole: true });
    };
    return html`${[await chart("loss", "training", "loss (nats)"), await chart("top1", "test", "top-1 (share)")]}`;
  }
}

function reportOf({ files }: LinearEvent & { type: "end" }): string {
  return files.find((file) => file.endsWith("report.html"))!;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}
