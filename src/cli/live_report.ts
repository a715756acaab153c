import { html, page } from "../report/mod.ts";
import { LIVE_SCRIPT } from "./live_script.ts";

/** Time that a browser has to take the end of the page, ms. */
const GRACE = 1000;

/** Headers of everything that is served: what the page needs is in it or comes from here. */
const HEADERS = {
  "cache-control": "no-store",
  "content-security-policy":
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'self'; connect-src 'self'",
  "x-content-type-options": "nosniff",
};

/** Options of {@linkcode LiveReport.start}. */
export interface LiveReportOptions {
  /** Port of 127.0.0.1; 0: one that is free. */
  readonly port: number;
  /** Title of the page until there is a report. */
  readonly title: string;
}

/** The report of a run as a page on this machine alone, which follows the run and ends with it. */
export class LiveReport implements AsyncDisposable {
  #server: Deno.HttpServer<Deno.NetAddr>;
  #abort = new AbortController();
  #listeners = new Set<ReadableStreamDefaultController<Uint8Array>>();
  #page: string;

  private constructor({ port, title }: LiveReportOptions) {
    this.#page = page(title, "The run is about to start.", []);
    const options = { hostname: "127.0.0.1", port, signal: this.#abort.signal, onListen: () => {} };
    this.#server = Deno.serve(options, (request) => this.#answer(request));
  }

  /**
   * Begins to serve.
   *
   * @throws {Error} If the port is taken or may not be used.
   */
  static start(options: LiveReportOptions): LiveReport {
    try {
      return new LiveReport(options);
    } catch (cause) {
      if (!(cause instanceof Deno.errors.AddrInUse || cause instanceof Deno.errors.PermissionDenied)) throw cause;
      throw new Error(
        `Cannot serve the live report as --watch_port must be one that is free: got ${options.port} (${cause.message})`,
        { cause },
      );
    }
  }

  /** Address of the page. */
  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}/`;
  }

  /** Shows a page from now on, also where it is open. */
  show(text: string): void {
    this.#page = text;
    this.#tell("message");
  }

  #tell(event: "message" | "end"): void {
    const bytes = new TextEncoder().encode(`event: ${event}\ndata:\n\n`);
    for (const listener of this.#listeners) listener.enqueue(bytes);
  }

  /** Answers this machine's browsers, and no page elsewhere that a name of this address was given to. */
  #answer(request: Request): Response {
    const { hostname, pathname } = new URL(request.url);
    if (hostname !== "127.0.0.1" && hostname !== "localhost") return answer("Forbidden", "text/plain", 403);
    if (request.method !== "GET" && request.method !== "HEAD") return answer("Method not allowed", "text/plain", 405);
    if (pathname === "/") return answer(withScript(this.#page), "text/html");
    if (pathname === "/live.js") return answer(LIVE_SCRIPT, "text/javascript");
    if (pathname === "/events") return answer(this.#events(), "text/event-stream");
    return answer("Not found", "text/plain", 404);
  }

  /** A stream that tells of every new page. */
  #events(): ReadableStream<Uint8Array> {
    let own: ReadableStreamDefaultController<Uint8Array>;
    return new ReadableStream({
      start: (controller) => {
        own = controller;
        this.#listeners.add(controller);
        controller.enqueue(new TextEncoder().encode("retry: 2000\n\n"));
      },
      cancel: () => void this.#listeners.delete(own),
    });
  }

  /** Tells the pages that the run has ended, and stops serving. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#tell("end");
    for (const listener of this.#listeners) listener.close();
    this.#listeners.clear();
    const late = setTimeout(() => this.#abort.abort(), GRACE);
    await this.#server.shutdown();
    clearTimeout(late);
  }
}

function answer(body: BodyInit, type: string, status = 200): Response {
  return new Response(body, { status, headers: { ...HEADERS, "content-type": `${type}; charset=utf-8` } });
}

function withScript(text: string): string {
  const live = html`
    <p id="live" role="status" class="faint">Live</p>
    <script src="/live.js" defer></script>
  `;
  return text.replace("</body>", () => `${live}</body>`);
}
