// ZeroMQ's wire protocol (ZMTP 3.0, without security) as far as a client of Jupyter needs it: npm's zeromq loses
// replies under Deno.

const [MORE, LONG, COMMAND] = [1, 2, 4] as const;

/** A connection to a socket of a peer. */
export class ZmtpSocket implements Disposable {
  readonly #connection: Deno.TcpConn;
  #read = new Uint8Array(0);

  private constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
  }

  /** Connects as a `DEALER`, or as a `SUB` to everything; tries again until the peer listens. */
  static async connect(port: number, type: "DEALER" | "SUB"): Promise<ZmtpSocket> {
    const socket = new ZmtpSocket(await connected(port));
    const greeting = new Uint8Array(64);
    greeting.set([0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 0]);
    greeting.set(encode("NULL"), 12);
    await socket.#write(greeting);
    await socket.#take(64);
    const ready = [5, ...encode("READY"), 11, ...encode("Socket-Type"), 0, 0, 0, type.length, ...encode(type)];
    await socket.#write(Uint8Array.of(COMMAND, ready.length, ...ready));
    await socket.#frame();
    if (type === "SUB") await socket.send([Uint8Array.of(1)]);
    return socket;
  }

  /** Sends a message of some frames. */
  async send(frames: readonly (Uint8Array | string)[]): Promise<void> {
    for (const [i, each] of frames.entries()) {
      const frame = typeof each === "string" ? encode(each) : each;
      const head = new Uint8Array(9);
      head[0] = LONG + (i < frames.length - 1 ? MORE : 0);
      new DataView(head.buffer).setBigUint64(1, BigInt(frame.length));
      await this.#write(head);
      await this.#write(frame);
    }
  }

  /** Waits for a message, frames as text; null when the peer is gone. */
  async receive(): Promise<string[] | null> {
    const frames: string[] = [];
    for (;;) {
      const frame = await this.#frame();
      if (!frame) return null;
      if (frame.flags & COMMAND) continue;
      frames.push(new TextDecoder().decode(frame.body));
      if (!(frame.flags & MORE)) return frames;
    }
  }

  async #frame(): Promise<{ flags: number; body: Uint8Array } | null> {
    const head = await this.#take(1);
    if (!head) return null;
    const flags = head[0]!;
    const size = await this.#take(flags & LONG ? 8 : 1);
    if (!size) return null;
    const length = size.length === 1 ? size[0]! : Number(new DataView(size.buffer, size.byteOffset).getBigUint64(0));
    const body = await this.#take(length);
    return body && { flags, body };
  }

  async #take(length: number): Promise<Uint8Array | null> {
    const buffer = new Uint8Array(1 << 16);
    while (this.#read.length < length) {
      const count = await this.#connection.read(buffer).catch(() => null);
      if (count === null) return null;
      const joined = new Uint8Array(this.#read.length + count);
      joined.set(this.#read);
      joined.set(buffer.subarray(0, count), this.#read.length);
      this.#read = joined;
    }
    const taken = this.#read.slice(0, length);
    this.#read = this.#read.slice(length);
    return taken;
  }

  async #write(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length;) done += await this.#connection.write(bytes.subarray(done));
  }

  /** Closes the connection. */
  [Symbol.dispose](): void {
    this.#connection.close();
  }
}

async function connected(port: number): Promise<Deno.TcpConn> {
  for (let attempt = 0;; attempt++) {
    try {
      return await Deno.connect({ hostname: "127.0.0.1", port });
    } catch (error) {
      if (!(error instanceof Deno.errors.ConnectionRefused) || attempt > 600) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
