/** Reply or event of the DevTools protocol. */
interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
  readonly sessionId?: string;
}

const NAMES = ["chromium", "chromium-browser", "google-chrome"];
const FLAGS = [
  "--headless",
  "--hide-scrollbars",
  "--no-sandbox",
  "--enable-unsafe-webgpu",
  "--enable-features=Vulkan",
  "--use-webgpu-adapter=swiftshader",
  "--disable-quic",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-extensions",
  "--no-first-run",
  "--no-default-browser-check",
  "--remote-debugging-port=0",
];

/** Path of Chromium or Chrome; null where there is none. */
export async function findChromium(): Promise<string | null> {
  for (const name of [Deno.env.get("CHROMIUM"), ...NAMES]) {
    if (!name) continue;
    try {
      if ((await new Deno.Command(name, { args: ["--version"], stderr: "null" }).output()).success) return name;
    } catch {
      // not this one
    }
  }
  return null;
}

/** A page in headless Chromium, whose WebGPU computes on the CPU by SwiftShader; driven by the DevTools protocol. */
export class ChromiumPage implements AsyncDisposable {
  #child: Deno.ChildProcess;
  #socket: WebSocket;
  #profile: string;
  #session = "";
  #last = 0;
  #waiting = new Map<number, (message: Message) => void>();
  #listeners: ((method: string, params: Record<string, unknown>) => void)[] = [];

  private constructor(child: Deno.ChildProcess, socket: WebSocket, profile: string) {
    this.#child = child;
    this.#socket = socket;
    this.#profile = profile;
    socket.onmessage = ({ data }) => {
      const message: Message = JSON.parse(data);
      if (message.id !== undefined) this.#waiting.get(message.id)?.(message);
      else for (const listener of this.#listeners) listener(message.method!, message.params ?? {});
    };
  }

  /** Starts Chromium with an empty page of 1100 × 1400 CSS px; `flags` are given to it beside its usual ones. */
  static async open(command: string, flags: readonly string[] = []): Promise<ChromiumPage> {
    const profile = await Deno.makeTempDir();
    const args = [...FLAGS, ...flags, `--user-data-dir=${profile}`, "about:blank"];
    const child = new Deno.Command(command, { args, stdin: "null", stdout: "null", stderr: "piped" }).spawn();
    const socket = new WebSocket(await addressOf(child));
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = reject;
    });
    const page = new ChromiumPage(child, socket, profile);
    const { targetId } = await page.send("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await page.send("Target.attachToTarget", { targetId, flatten: true });
    page.#session = String(sessionId);
    for (const domain of ["Page", "Runtime"]) await page.send(`${domain}.enable`);
    await page.resize({ width: 1100, height: 1400 });
    return page;
  }

  /** Sends a command of the protocol. */
  async send(method: string, params: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
    const id = ++this.#last;
    const session = this.#session ? { sessionId: this.#session } : {};
    const reply = new Promise<Message>((resolve) => this.#waiting.set(id, resolve));
    this.#socket.send(JSON.stringify({ id, method, params, ...session }));
    const { result, error } = await reply;
    this.#waiting.delete(id);
    if (error) throw new Error(`Cannot run ${method}: ${error.message}`);
    return result ?? {};
  }

  /** Calls `listener` with every event. */
  listen(listener: (method: string, params: Record<string, unknown>) => void): void {
    this.#listeners.push(listener);
  }

  /** Goes to an address, and waits until the document and its scripts are loaded. */
  async go(url: string): Promise<void> {
    const loaded = new Promise<void>((resolve) => {
      this.listen((method) => method === "Page.loadEventFired" && resolve());
    });
    const { errorText } = await this.send("Page.navigate", { url });
    if (errorText) throw new Error(`Cannot go to ${url}: ${errorText}`);
    await loaded; // navigating ends when the document is begun
  }

  /** The value of an expression in the page; a promise is awaited. */
  async evaluate<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = await this.send("Runtime.evaluate", {
      expression,
      awaitPromise: true,
      returnByValue: true,
    }) as { result: { value: T }; exceptionDetails?: { exception?: { description?: string } } };
    if (exceptionDetails) throw new Error(`Cannot evaluate ${expression}: ${exceptionDetails.exception?.description}`);
    return result.value;
  }

  /** Waits until an expression is true, and says what the page showed where it does not become so. */
  async until(expression: string, seconds: number): Promise<void> {
    const end = Date.now() + 1000 * seconds;
    while (!await this.evaluate<boolean>(`Boolean(${expression})`)) {
      if (Date.now() > end) {
        const text = await this.evaluate<string>("document.body.innerText.slice(0, 1500)");
        throw new Error(`Waited ${seconds} s for ${expression}; the page says: ${text}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  /** Clicks at a place, CSS px of the viewport. */
  async click(x: number, y: number): Promise<void> {
    for (const type of ["mousePressed", "mouseReleased"]) {
      await this.send("Input.dispatchMouseEvent", { type, x, y, button: "left", clickCount: 1 });
    }
  }

  /** Presses a key, such as `ArrowRight`. */
  async press(key: string): Promise<void> {
    for (const type of ["keyDown", "keyUp"]) await this.send("Input.dispatchKeyEvent", { type, key });
  }

  /** Changes the size of the page, CSS px. */
  async resize({ width, height }: { width: number; height: number }): Promise<void> {
    await this.send("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile: false });
  }

  /** A picture of the page as it is seen, or of all of it. */
  async screenshot(path: string): Promise<void> {
    const { data } = await this.send("Page.captureScreenshot", { format: "png", captureBeyondViewport: true });
    await Deno.writeFile(path, Uint8Array.from(atob(String(data)), (c) => c.charCodeAt(0)));
  }

  /** Ends Chromium. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#session = "";
    await this.send("Browser.close").catch(() => this.#child.kill());
    await this.#child.status;
    await Deno.remove(this.#profile, { recursive: true }).catch(() => {}); // its helpers may still be ending
  }
}

/** The address that Chromium prints for the DevTools protocol. */
async function addressOf(child: Deno.ChildProcess): Promise<string> {
  let text = "";
  const decoder = new TextDecoder();
  const reader = child.stderr.getReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`Cannot start Chromium: ${text}`);
    text += decoder.decode(value, { stream: true });
    const found = text.match(/ws:\/\/\S+/);
    if (!found) continue;
    void (async () => {
      while (!(await reader.read()).done); // what it says later must not fill the pipe
    })();
    return found[0];
  }
}
