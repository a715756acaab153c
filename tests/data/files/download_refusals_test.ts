import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { fetchSafely } from "../../../src/data/files/_request.ts";
import { download } from "../../../src/data/files/download.ts";
import { listFiles, withFolder } from "../_helpers.ts";
import { broken, type Handler, inPieces, MD5, ranged, serving, TEXT } from "../_serving.ts";

Deno.test("download() throws on a wrong checksum and gives the file no name", async () => {
  await serving(() => new Response("<html>moved</html>"), async (url) => {
    await withFolder(async (folder) => {
      await assertRejects(
        () => download(url, `${folder}/file.bin`, { md5: MD5 }),
        SyntaxError,
        `Cannot use "${url}" as its MD5 must be ${MD5}: current value is 5473e78119838cb7980c607075888ce4`,
      );
      assertEquals(await listFiles(folder), [["file.bin.part", ""]]);
    });
  });
});

Deno.test("download() throws when the server refuses, and tries again when it is busy", async () => {
  await serving(() => new Response(null, { status: 404 }), async (url, ranges) => {
    await withFolder(async (folder) => {
      await assertRejects(
        () => download(url, `${folder}/file.bin`, { retryDelay: 1 }),
        Deno.errors.Http,
        `Cannot download "${url}": the server answers 404`,
      );
      assertEquals(ranges.length, 1);
    });
  });
  const busy = (_: Request, attempt: number) => attempt < 2 ? new Response(null, { status: 503 }) : new Response(TEXT);
  await serving(busy, async (url) => {
    await withFolder(async (folder) => {
      await download(url, `${folder}/file.bin`, { retryDelay: 1 });
      assertEquals(await listFiles(folder), [["file.bin", TEXT]]);
    });
  });
});

Deno.test("download() asks once more, without a range, where the server answers 416", async () => {
  const always = (_: Request, attempt: number) => new Response(null, { status: attempt < 5 ? 416 : 404 });
  for (const [begun, asked] of [["", [null]], ["0123", ["bytes=4-", null]]] as const) {
    await serving(always, async (url, ranges) => {
      await withFolder(async (folder) => {
        if (begun) await Deno.writeTextFile(`${folder}/file.bin.part`, begun);
        await assertRejects(
          () => download(url, `${folder}/file.bin`, { md5: MD5, retryDelay: 1 }),
          Deno.errors.Http,
          `Cannot download "${url}": the server answers 416`,
        );
        assertEquals(ranges, [...asked]);
      });
    });
  }
});

Deno.test("download() gives up on a server that begins again and again with other lengths", async () => {
  const swings = (request: Request, attempt: number) => {
    if (attempt > 20) return new Response(null, { status: 404 });
    if (request.headers.has("range")) return new Response(null, { status: 416 });
    return broken(0, attempt % 4 === 0 ? 9000 : 4000);
  };
  await serving(swings, async (url, ranges) => {
    await withFolder(async (folder) => {
      const error = await assertRejects(
        () => download(url, `${folder}/file.bin`, { md5: MD5, retries: 2, retryDelay: 1 }),
        Deno.errors.Http,
      );
      assert(!error.message.includes("answers 404"), `${error.message} after ${ranges.length} requests`);
    });
  });
});

Deno.test("download() gives up when the connection breaks again and again, and keeps the part", async () => {
  await serving((_, attempt) => broken(0, attempt === 0 ? 50_000 : 0), async (url, ranges) => {
    await withFolder(async (folder) => {
      await assertRejects(
        () => download(url, `${folder}/file.bin`, { md5: MD5, retries: 2, retryDelay: 1 }),
        Deno.errors.Http,
        `Cannot download "${url}": `,
      );
      assert(ranges.length >= 3, `${ranges.length} attempts`);
    });
  });
});

Deno.test("download() treats a silent connection as broken", async () => {
  const silent = () => {
    const stream = new ReadableStream({
      start: (controller) => controller.enqueue(new TextEncoder().encode(TEXT.slice(0, 1000))),
    });
    return new Response(stream, { headers: { "content-length": String(TEXT.length) } });
  };
  await serving((request, attempt) => attempt === 0 ? silent() : ranged(request), async (url, ranges) => {
    await withFolder(async (folder) => {
      await download(url, `${folder}/file.bin`, { md5: MD5, stallTimeout: 200, retryDelay: 1 });
      assertEquals(ranges, [null, "bytes=1000-"]);
      assertEquals(await listFiles(folder), [["file.bin", TEXT]]);
    });
  });
});

Deno.test("download() throws at once without a network", async () => {
  const listener = Deno.listen({ port: 0, hostname: "127.0.0.1" });
  const url = `http://127.0.0.1:${listener.addr.port}/file.bin`;
  listener.close(); // nothing listens there now
  await withFolder(async (folder) => {
    const start = performance.now();
    await assertRejects(() => download(url, `${folder}/file.bin`), Deno.errors.Http, `Cannot download "${url}": `);
    assert(performance.now() - start < 900, "no retry");
    assertEquals(await listFiles(folder), [], "no empty part is left");
  });
});

Deno.test("download() stops when it is told to and keeps the part", async () => {
  await serving(() => new Response(TEXT), async (url) => {
    await withFolder(async (folder) => {
      const controller = new AbortController();
      const stop = () => controller.abort(new DOMException("stopped", "AbortError"));
      await assertRejects(
        () => download(url, `${folder}/file.bin`, { signal: controller.signal, onProgress: stop }),
        DOMException,
        "stopped",
      );
      const [name, text] = (await listFiles(folder))[0] ?? [];
      assertEquals(name, "file.bin.part");
      assert(text !== undefined && text.length > 0 && TEXT.startsWith(text));
    });
  });
});

/** Serves every path of one host by a table, over plain http on this machine. */
async function fails(answer: Handler, message: string, options: Parameters<typeof download>[2] = {}, written = 0) {
  await serving(answer, async (url) => {
    await withFolder(async (folder) => {
      const error = await assertRejects(() =>
        download(url, `${folder}/file.bin`, { retryDelay: 1, retries: 1, ...options })
      );
      assert(error instanceof Deno.errors.Http || error instanceof SyntaxError, `${error}`);
      assert(error.message.includes(message), error.message);
      for (const [name, text] of await listFiles(folder)) {
        assertEquals([name, text.length <= written], ["file.bin.part", true], `${text.length} bytes are kept`);
      }
    });
  });
}

Deno.test("download() refuses plain http, at first and where an address redirects to", async () => {
  await withFolder(async (folder) => {
    await assertRejects(
      () => download("http://example.com/x.tgz", `${folder}/x.tgz`),
      Deno.errors.Http,
      'Cannot download "http://example.com/x.tgz": its address must be https: got "http://example.com/x.tgz"',
    );
    await assertRejects(() => download("ftp://example.com/x", `${folder}/x`), Deno.errors.Http, "must be https");
  });
  const to = (location: string) => () => new Response(null, { status: 302, headers: { location } });
  await fails(to("http://example.com/x"), 'where it redirects to must be https: got "http://example.com/x"');
  await fails(to("/again"), "it redirects more than 10 times");
});

Deno.test("fetchSafely() follows no https address to plain http, not even to this machine", async () => {
  const real = globalThis.fetch;
  const asked: string[] = [];
  globalThis.fetch = ((input: URL) => {
    asked.push(`${input}`);
    const location = asked.length === 1 ? "https://b.example/x" : "http://127.0.0.1/x";
    return Promise.resolve(new Response(null, { status: 301, headers: { location } }));
  }) as typeof fetch;
  try {
    await assertRejects(
      () => fetchSafely("https://a.example/x", { headers: new Headers(), signal: AbortSignal.timeout(1000) }),
      Deno.errors.Http,
      'where it redirects to must be https: got "http://127.0.0.1/x"',
    );
    assertEquals(asked, ["https://a.example/x", "https://b.example/x"]);
  } finally {
    globalThis.fetch = real;
  }
});

Deno.test("download() follows redirects on one host", async () => {
  const moved = (request: Request) =>
    request.url.endsWith("/file.bin") ? Response.redirect(new URL("/there", request.url), 302) : new Response(TEXT);
  await serving(moved, async (url) => {
    await withFolder(async (folder) => {
      await download(url, `${folder}/file.bin`, { md5: MD5 });
      assertEquals(await listFiles(folder), [["file.bin", TEXT]]);
    });
  });
});

Deno.test("download() keeps no web page, no empty file, nothing too large and nothing that may be cut off", async () => {
  const page = () =>
    new Response("<html>Please sign in</html>", { headers: { "content-type": "text/html; charset=UTF-8" } });
  await fails(page, "the server answers with a web page (text/html; charset=UTF-8) in place of the file");
  await fails(page, "in place of the file", { md5: MD5 });
  await fails(
    () => new Response("\n<!DOCTYPE html>Sign in"),
    "the server answers with a web page in place of the file",
  );
  for (const before of ["<!-- of the library -->\n<!DOCTYPE html>", '<?xml version="1.0"?><html>']) {
    await fails(() => new Response(`${before}Sign in`), "the server answers with a web page in place of the file");
  }
  await fails(() => new Response('<meta http-equiv="refresh" content="0">'), "a web page in place of the file");
  await fails(() => inPieces("<!doc", "type html>Sign in"), "it is a web page in place of the file");
  await fails(() => new Response(""), "the server answers with an empty file");
  await fails(() => new Response(TEXT), "the file must take at most 1000 bytes: got 200000 bytes", { maxBytes: 1000 });
  const endless = () =>
    new Response(
      new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(10_000)) }),
    );
  await fails(endless, "the file must take at most 50000 bytes: got more", { maxBytes: 50_000, md5: MD5 });
  await fails(endless, "the server does not say how long the file is, and no checksum tells whether all of it came");
  const check = () => Promise.reject(new SyntaxError("it is no list"));
  await fails(() => new Response(TEXT), "it is no list", { check });
});

Deno.test("download() keeps no text, JSON or XML in place of an archive, an array, weights or a picture", async () => {
  const bodies = {
    "JSON text": '{"error": "quota exceeded"}',
    "text": "Access denied\n",
    "bytes ef bb bf 3c 3f 78 6d 6c": '\ufeff<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>',
    "a PDF document": "%PDF-1.7",
  };
  for (const [content, body] of Object.entries(bodies)) {
    for (const long of [body, body.padEnd(1000)]) {
      await serving(() => new Response(long), async (url) => {
        await withFolder(async (folder) => {
          for (const name of ["a.zip", "a.tar.gz", "a.TGZ", "a.tar", "a.npy", "a.pth", "a.safetensors", "a.jpg"]) {
            const error = await assertRejects(() => download(url, `${folder}/${name}`, { retryDelay: 1 }), Error);
            assertStringIncludes(
              error.message,
              `is something other than "${name}" must be by its ending: got ${content}`.slice(long === body ? 0 : 3),
            );
          }
          assertEquals((await listFiles(folder)).filter(([name, data]) => data !== "" || !name.endsWith(".part")), []);
        });
      });
    }
  }
  await serving(() => new Response("PK\x05\x06"), async (url) => {
    await withFolder(async (folder) => {
      for (const name of ["a.zip", "a.npz", "notes.txt", "list"]) await download(url, `${folder}/${name}`);
      assertEquals((await listFiles(folder)).length, 4);
    });
  });
});

Deno.test("download() takes a part that was not asked for as no whole file", async () => {
  const slice = (start: number, end: number) => (request: Request) => {
    if (request.headers.has("range")) return ranged(request);
    const headers = { "content-range": `bytes ${start}-${end - 1}/${TEXT.length}` };
    return new Response(TEXT.slice(start, end), { status: 206, headers });
  };
  await fails(slice(5, 1000), "a part of the file that does not say to be its beginning");
  await serving(slice(0, 1000), async (url) => {
    await withFolder(async (folder) => {
      await download(url, `${folder}/file.bin`, { retryDelay: 1 });
      assertEquals(await listFiles(folder), [["file.bin", TEXT]]);
    });
  });
});

Deno.test("download() refuses a file that the server packs, unless a checksum tells what it is", async () => {
  const packed = (_: Request) =>
    new Response(TEXT, { headers: { "content-encoding": "gzip", "content-length": `${TEXT.length}` } });
  await serving(packed, async (url) => {
    await withFolder(async (folder) => {
      await assertRejects(
        () => download(url, `${folder}/file.bin`),
        Deno.errors.Http,
        `Cannot download "${url}": the server packs the file (gzip), and no checksum tells whether it is unpacked`,
      );
      assertEquals(await listFiles(folder), []);
    });
  });
});

Deno.test("download() takes an MD5 in capitals, and refuses bounds and sums that are none", async () => {
  await serving(() => new Response(TEXT), async (url, ranges) => {
    await withFolder(async (folder) => {
      for (const maxBytes of [NaN, 0, -1]) {
        await assertRejects(
          () => download(url, `${folder}/a`, { maxBytes }),
          RangeError,
          `Cannot download "${url}" as maxBytes must be a number > 0: current value is ${maxBytes}`,
        );
      }
      await assertRejects(
        () => download(url, `${folder}/a`, { md5: "xyz" }),
        TypeError,
        `Cannot download "${url}" as md5 must be 32 hexadecimal digits: got "xyz"`,
      );
      assertEquals(ranges, []);
      await download(url, `${folder}/a`, { md5: MD5.toUpperCase() });
      assertEquals(await listFiles(folder), [["a", TEXT]]);
    });
  });
});
