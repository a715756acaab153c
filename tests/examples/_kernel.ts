import { ZmtpSocket } from "./_zmtp.ts";

/** Output of a cell: a stream, a display, a result or an error. */
export interface CellOutput {
  /** Kind of the message. */
  readonly type: string;
  /** Identifier of the request that it is of. */
  readonly of: string;
  /** What it holds; which parts depends on its kind. */
  readonly content: {
    readonly status?: string;
    readonly execution_state?: string;
    readonly data?: Readonly<Record<string, string>>;
  };
}

/** What a cell did. */
export interface CellResult {
  readonly status?: string;
  readonly outputs: readonly CellOutput[];
}

const DELIMITER = "<IDS|MSG>";

/** Deno's Jupyter kernel in a process of its own, spoken to by the Jupyter protocol over ZeroMQ. */
export class JupyterKernel implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #key: CryptoKey;
  readonly #shell: ZmtpSocket;
  readonly #iopub: ZmtpSocket;
  readonly #heard: CellOutput[] = [];

  private constructor(process: Deno.ChildProcess, key: CryptoKey, sockets: readonly [ZmtpSocket, ZmtpSocket]) {
    this.#process = process;
    this.#key = key;
    [this.#shell, this.#iopub] = sockets;
  }

  /** Starts a kernel as a notebook in a folder does, and waits until it answers. */
  static async start(folder: string): Promise<JupyterKernel> {
    const [shell, iopub, stdin, control, heartbeat] = freePorts(5);
    const secret = crypto.randomUUID();
    const connection = await Deno.makeTempFile({ suffix: ".json" });
    await Deno.writeTextFile(
      connection,
      JSON.stringify({
        ...{ transport: "tcp", ip: "127.0.0.1", key: secret, signature_scheme: "hmac-sha256", kernel_name: "deno" },
        ...{ shell_port: shell, iopub_port: iopub, stdin_port: stdin, control_port: control, hb_port: heartbeat },
      }),
    );
    const process = new Deno.Command(Deno.execPath(), {
      args: ["jupyter", "--kernel", "--conn", connection],
      cwd: folder,
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    const algorithm = { name: "HMAC", hash: "SHA-256" };
    const key = await crypto.subtle.importKey("raw", new TextEncoder().encode(secret), algorithm, false, ["sign"]);
    const sockets = [await ZmtpSocket.connect(shell!, "DEALER"), await ZmtpSocket.connect(iopub!, "SUB")] as const;
    const kernel = new JupyterKernel(process, key, sockets);
    await kernel.#greet();
    await Deno.remove(connection);
    return kernel;
  }

  async #greet(): Promise<void> {
    this.#listen();
    await this.#request("kernel_info_request", {});
    while (this.#heard.length === 0) { // what is told before the subscription stands is lost
      await new Promise((resolve) => setTimeout(resolve, 20));
      await this.#request("kernel_info_request", {});
    }
  }

  async #listen(): Promise<void> {
    for (let frames; (frames = await this.#iopub.receive());) this.#heard.push(parse(frames));
  }

  /** Runs a cell, and waits until the kernel has nothing more to tell of it. */
  async execute(code: string): Promise<CellResult> {
    const options = {
      silent: false,
      store_history: true,
      user_expressions: {},
      allow_stdin: false,
      stop_on_error: true,
    };
    const reply = await this.#request("execute_request", { code, ...options });
    await this.#idle(reply);
    await this.#idle(await this.#request("kernel_info_request", {})); // Deno tells results after it is idle, now and then
    const own = this.#heard.filter((each) => each.of === reply.of);
    const quiet = ["status", "execute_input"];
    return { status: reply.content.status, outputs: own.filter(({ type }) => !quiet.includes(type)) };
  }

  /** Waits until the kernel has told that it is done with a request. */
  async #idle({ of }: CellOutput): Promise<void> {
    const told = () => this.#heard.some((each) => each.of === of && each.content.execution_state === "idle");
    while (!told()) await new Promise((resolve) => setTimeout(resolve, 20));
  }

  async #request(type: string, content: unknown): Promise<CellOutput> {
    const header = {
      ...{ msg_id: crypto.randomUUID(), session: "test", username: "test", version: "5.3", msg_type: type },
      date: new Date().toISOString(),
    };
    const parts = [header, {}, {}, content].map((part) => JSON.stringify(part));
    const mac = await crypto.subtle.sign("HMAC", this.#key, new TextEncoder().encode(parts.join("")));
    const signature = new Uint8Array(mac).toHex();
    await this.#shell.send([DELIMITER, signature, ...parts]);
    const frames = await this.#shell.receive();
    if (!frames) throw new Error("The kernel ended");
    return parse(frames);
  }

  /** Ends the kernel. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#shell[Symbol.dispose]();
    this.#iopub[Symbol.dispose]();
    this.#process.kill("SIGKILL");
    await this.#process.status;
  }
}

/** Type, request and content of a message's frames. */
function parse(text: readonly string[]): CellOutput {
  const start = text.indexOf(DELIMITER);
  const [header, parent, , content] = text.slice(start + 2).map((part) => JSON.parse(part));
  return { type: header.msg_type, of: parent.msg_id, content };
}

function freePorts(count: number): number[] {
  const listeners = Array.from({ length: count }, () => Deno.listen({ hostname: "127.0.0.1", port: 0 }));
  const ports = listeners.map(({ addr }) => addr.port);
  for (const listener of listeners) listener.close();
  return ports;
}
