import { jsonLine } from "../formats/internal.ts";
import type { StopOrder } from "./_stop_worker.ts";

/** Options of {@linkcode StopSignals}. */
export interface StopOptions {
  /** Whether a line of JSON on stdout tells it; false by default: words on stderr. */
  readonly json?: boolean;
  /** Whether nothing is told, as another process tells it; false by default. */
  readonly silent?: boolean;
}

const MESSAGE = "Stopping after this step; once more to stop at once";

/**
 * Ctrl-C and SIGTERM of a program: the first one is told at once and asks it to save and end, the second one ends it. A
 * Worker hears them, as the main thread hears nothing while it waits for the GPU. Until it has started, the first one ends
 * the program too: nothing is lost then.
 */
export class StopSignals implements Disposable {
  readonly #controller = new AbortController();
  readonly #worker: Worker;
  #status = 0;

  /** Listens until it is disposed. */
  constructor({ json = false, silent = false }: StopOptions = {}) {
    this.#worker = new Worker(new URL("./_stop_worker.ts", import.meta.url), { type: "module" });
    this.#worker.onmessage = ({ data }: MessageEvent<Deno.Signal>) => {
      this.#status = data === "SIGINT" ? 130 : 143;
      this.#controller.abort();
    };
    const bar = Deno.stderr.isTerminal() ? "\r\x1b[2K" : ""; // a line of progress may be there
    const line = silent ? null : json ? jsonLine({ type: "note", message: MESSAGE }) : `${bar}${MESSAGE}`;
    const names: Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM"];
    this.#worker.postMessage({ names, line, toStdout: json } satisfies StopOrder);
  }

  /** Signal for what is to stop. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Status to end with: 130 after Ctrl-C, 143 after SIGTERM, 0 otherwise. */
  get status(): number {
    return this.#status;
  }

  /** Listens no more. */
  [Symbol.dispose](): void {
    this.#worker.terminate();
  }
}
