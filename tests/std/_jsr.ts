// A registry as JSR is one, with a single package of one file, on this machine.

const SOURCE = `export const who = "JSR";\n`;

async function checksum(text: string): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return `sha256-${new Uint8Array(hash).toHex()}`;
}

export interface Registry extends AsyncDisposable {
  url: string;
  /** Paths that were asked for. */
  asked: string[];
}

/** Serves version 1.1.2 of `@std/path`, whose `who` is "JSR". */
export async function registry(): Promise<Registry> {
  const manifest = { "/mod.ts": { size: SOURCE.length, checksum: await checksum(SOURCE) } };
  const answers: Record<string, () => Response> = {
    "/@std/path/meta.json": () =>
      Response.json({ scope: "std", name: "path", latest: "1.1.2", versions: { "1.1.2": {} } }),
    "/@std/path/1.1.2_meta.json": () => {
      return Response.json({ manifest, exports: { ".": "./mod.ts" }, moduleGraph2: { "/mod.ts": {} } });
    },
    "/@std/path/1.1.2/mod.ts": () => new Response(SOURCE, { headers: { "content-type": "text/typescript" } }),
  };
  const asked: string[] = [];
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
    const { pathname } = new URL(request.url);
    asked.push(pathname);
    return answers[pathname]?.() ?? new Response(null, { status: 404 });
  });
  const url = `http://127.0.0.1:${server.addr.port}/`;
  return { url, asked, [Symbol.asyncDispose]: () => server.shutdown() };
}

/** The address of a registry that does not answer: a port that was free a moment ago. */
export function unreachable(): string {
  using listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  return `http://127.0.0.1:${(listener.addr as Deno.NetAddr).port}/`;
}
