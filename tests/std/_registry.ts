// A registry as JSR is one, on this machine.

async function checksum(text: string): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return `sha256-${new Uint8Array(hash).toHex()}`;
}

export interface Registry extends AsyncDisposable {
  readonly url: string;
  /** Paths that were asked for. */
  readonly asked: string[];
}

/** Answers every path with what `answer` makes of it. */
export function registryOf(answer: (path: string) => Response | Promise<Response>): Registry {
  const asked: string[] = [];
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
    const { pathname } = new URL(request.url);
    asked.push(pathname);
    return answer(pathname);
  });
  const url = `http://127.0.0.1:${server.addr.port}/`;
  return { url, asked, [Symbol.asyncDispose]: () => server.shutdown() };
}

/** Serves version 1.9.9 of packages of `@std`: the sources of their modules, by what they export (`.`, `./bdd`). */
export function registry(packages: Record<string, Record<string, string>>): Registry {
  return registryOf(async (path) => {
    const [, name = "", file = ""] = path.match(/^\/@std\/(\w+)\/(.+)$/) ?? [];
    const modules = Object.entries(packages[name] ?? {}).map(([entry, source], i) => ({
      entry,
      source,
      file: `/${i}.ts`,
    }));
    if (modules.length === 0) return new Response(null, { status: 404 });
    if (file === "meta.json") return Response.json({ scope: "std", name, latest: "1.9.9", versions: { "1.9.9": {} } });
    if (file === "1.9.9_meta.json") {
      const listed = modules.map(async ({ file, source }) => {
        return [file, { size: source.length, checksum: await checksum(source) }] as const;
      });
      return Response.json({
        manifest: Object.fromEntries(await Promise.all(listed)),
        exports: Object.fromEntries(modules.map(({ entry, file }) => [entry, `.${file}`])),
        moduleGraph2: Object.fromEntries(modules.map(({ file }) => [file, {}])),
      });
    }
    const found = modules.find((module) => file === `1.9.9${module.file}`);
    if (found === undefined) return new Response(null, { status: 404 });
    return new Response(found.source, { headers: { "content-type": "text/typescript" } });
  });
}

/** The address of a registry that does not answer: a port that was free a moment ago. */
export function unreachable(): string {
  using listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  return `http://127.0.0.1:${(listener.addr as Deno.NetAddr).port}/`;
}
