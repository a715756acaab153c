import { extname, join } from "@std/path";

const TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".safetensors": "application/octet-stream",
  ".gz": "application/gzip",
};

/** Serves the files of a folder on this machine. */
export function serveFolder(folder: string, port = 0): Deno.HttpServer<Deno.NetAddr> {
  const missing = () => new Response("Not found", { status: 404 });
  return Deno.serve({ port, hostname: "127.0.0.1", onListen: () => {} }, async (request) => {
    const path = new URL(request.url).pathname; // which has no ".."
    const name = path === "/" ? "index.html" : path.slice(1);
    const type = TYPES[extname(name)];
    if (!type || !/^[\w./-]+$/.test(name)) return missing();
    try {
      const headers = { "content-type": type, "cache-control": "no-cache" };
      return new Response(await Deno.readFile(join(folder, name)), { headers });
    } catch {
      return missing();
    }
  });
}
