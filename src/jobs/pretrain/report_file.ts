import type { RunFolder } from "./run_folder.ts";
import { type JobReport, jobReport } from "./report.ts";

/** The page `report.html` of a run, which rank 0 draws anew as often as its cost allows. */
export class ReportFile {
  readonly #folder: RunFolder;
  readonly #writes: boolean;
  readonly #onPage: ((page: string) => void) | undefined;
  #drawn = performance.now();
  #cost = 0;

  /** Prepares the page of a folder; `writes`: whether this rank draws it; `onPage` is given every new one. */
  constructor(folder: RunFolder, writes: boolean, onPage?: (page: string) => void) {
    this.#folder = folder;
    this.#writes = writes;
    this.#onPage = onPage;
  }

  /** Whether someone looks on, so that it is drawn within epochs too. */
  get isWatched(): boolean {
    return this.#writes && this.#onPage !== undefined;
  }

  /** Whether drawing now takes at most a twentieth of the time. */
  isDue(): boolean {
    return performance.now() - this.#drawn >= Math.max(2000, 20 * this.#cost);
  }

  /** Writes the page; returns what went wrong, if anything: a picture that cannot be drawn stops no training. */
  async write(report: JobReport): Promise<string | null> {
    if (!this.#writes) return null;
    const start = performance.now();
    try {
      const page = await jobReport(report);
      await this.#folder.writeText("report.html", page);
      this.#onPage?.(page);
      return null;
    } catch (error) {
      return `Cannot write "${this.#folder.file("report.html")}": ${error instanceof Error ? error.message : error}`;
    } finally {
      this.#drawn = performance.now();
      this.#cost = this.#drawn - start;
    }
  }
}
