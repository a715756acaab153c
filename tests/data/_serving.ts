/** Text that is served. */
export const TEXT = "0123456789".repeat(20_000);
/** MD5 of the text. */
export const MD5 = "bcc4bfca43786497d970f7d3e2fdd455";

/** Answers the request; `attempt` counts from 0. */
export type Handler = (request: Request, attempt: number) => Response | Promise<Response>;

/** Serves on this machine; `ranges` are the Range headers that arrived. */
export async function serving(handler: Handler, body: (url: string, ranges: (string | null)[]) => Promise<void>) {
  const ranges: (string | null)[] = [];
  await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
    ranges.push(request.headers.get("range"));
    return handler(request, ranges.length - 1);
  });
  await body(`http://127.0.0.1:${server.addr.port}/file.bin`, ranges);
}

/** Serves `bytes` of the text from `start` on, then the connection breaks although more was announced. */
export function broken(start: number, bytes: number, init: ResponseInit = {}): Response {
  const pieces = TEXT.slice(start, start + bytes).match(/.{1,1000}/g) ?? [];
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const piece = pieces.shift();
      if (piece) controller.enqueue(new TextEncoder().encode(piece));
      else {
        await new Promise((resolve) => setTimeout(resolve, 20));
        controller.error(new Error("cut"));
      }
    },
  });
  const headers = new Headers(init.headers);
  headers.set("content-length", String(TEXT.length - start));
  return new Response(stream, { ...init, headers });
}

/** Serves pieces one after another, so slowly that they are not sent as one. */
export function inPieces(...pieces: string[]): Response {
  const length = pieces.join("").length;
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const piece = pieces.shift();
      if (piece === undefined) return controller.close();
      controller.enqueue(new TextEncoder().encode(piece));
      await new Promise((resolve) => setTimeout(resolve, 50));
    },
  });
  return new Response(stream, { headers: { "content-length": `${length}` } });
}

/** The text, from where the request asks for it. */
export function ranged(request: Request): Response {
  const start = Number(/^bytes=(\d+)-$/.exec(request.headers.get("range") ?? "")?.[1] ?? 0);
  if (start >= TEXT.length) {
    return new Response(null, { status: 416, headers: { "content-range": `bytes */${TEXT.length}` } });
  }
  if (start === 0) return new Response(TEXT);
  const headers = { "content-range": `bytes ${start}-${TEXT.length - 1}/${TEXT.length}` };
  return new Response(TEXT.slice(start), { status: 206, headers });
}
