import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { LinearLive } from "../../src/cli/linear_live.ts";
import { LiveReport } from "../../src/cli/live_report.ts";
import type { EncoderStatistics, LinearEvent } from "../../src/jobs/mod.ts";
import { withFolder } from "../data/_helpers.ts";
import { eventsOf, smallRun, writeSmallCifar } from "../examples/_run.ts";

/** Names of the server-sent events of a page, until it ends. */
async function* eventsAt(url: string): AsyncGenerator<string> {
  const { body } = await fetch(`${url}events`);
  let rest = "";
  for await (const text of body!.pipeThrough(new TextDecoderStream())) {
    const blocks = (rest + text).split("\n\n");
    rest = blocks.pop()!;
    yield* blocks.flatMap((block) => block.match(/^event: (\w+)\ndata:$/)?.[1] ?? []);
  }
}

async function textOf(response: Response | Promise<Response>): Promise<string> {
  return await (await response).text();
}

Deno.test("LiveReport tells open pages of a new one and of the end, and then serves no more", async () => {
  const live = LiveReport.start({ port: 0, title: "A <run>" });
  const { url } = live;
  const first = await textOf(fetch(url));
  assertStringIncludes(first, "<title>A &#60;run&#62;</title>");
  assertMatch(first, /<script src="\/live.js" defer><\/script>\s*<\/body>/);
  assertStringIncludes(await textOf(fetch(`${url}live.js`)), 'new EventSource("/events")');
  const events = eventsAt(url);
  const next = events.next();
  await new Promise((resolve) => setTimeout(resolve, 50)); // the page listens
  live.show("<html><body>$& now</body></html>");
  assertEquals(await next, { done: false, value: "message" });
  assertMatch(await textOf(fetch(url)), /<body>\$& now\s*<p id="live"/);
  await live[Symbol.asyncDispose]();
  assertEquals(await Array.fromAsync(events), ["end"]);
  await assertRejects(() => fetch(url), TypeError);
});

Deno.test("LiveReport answers browsers of this machine that ask by its address, and says when a port is taken", async () => {
  await using live = LiveReport.start({ port: 0, title: "T" });
  const { port } = new URL(live.url);
  const raw = async (request: string) => {
    using connection = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
    await connection.write(new TextEncoder().encode(request));
    const buffer = new Uint8Array(64);
    return new TextDecoder().decode(buffer.subarray(0, await connection.read(buffer) ?? 0)).split("\r\n")[0];
  };
  assertEquals(
    await raw("GET / HTTP/1.1\r\nHost: elsewhere.example\r\nConnection: close\r\n\r\n"),
    "HTTP/1.1 403 Forbidden",
  );
  assertEquals(await raw(`GET / HTTP/1.1\r\nHost: localhost:${port}\r\nConnection: close\r\n\r\n`), "HTTP/1.1 200 OK");
  const statuses = [fetch(`${live.url}last.safetensors`), fetch(live.url, { method: "POST", body: "x" })];
  assertEquals((await Promise.all(statuses)).map((response) => (response.body?.cancel(), response.status)), [404, 405]);
  assertThrows(
    () => LiveReport.start({ port: Number(port), title: "T" }),
    Error,
    `Cannot serve the live report as --watch_port must be one that is free: got ${port}`,
  );
});

Deno.test("LinearLive shows steps, epochs and scores as they come, and the report at the end", async () => {
  await withFolder(async (folder) => {
    const report = LiveReport.start({ port: 0, title: "T" });
    const { url } = report;
    await using live = new LinearLive(report, "Linear evaluation on <x>");
    const has = async (...texts: string[]) => {
      const shown = await textOf(fetch(url));
      for (const text of texts) assertStringIncludes(shown, text);
      return shown;
    };
    await live.show({ type: "note", message: "9 images" });
    await live.show({ type: "progress", label: "encode train", done: 0.25, text: "1 of 4 images" });
    await has("Linear evaluation on &#60;x&#62;", "9 images");
    for (const epoch of [1, 2]) {
      const values = { epoch, loss: 1 / epoch, top1: 0.5 };
      await live.show({ type: "progress", label: "train", done: epoch / 2, text: `epoch ${epoch}`, values });
    }
    await has("25.0 %", "1 of 4 images", "epoch 2", "loss (nats)");
    const scores = { top1: 0.5, balanced_accuracy: 0.25, knn_top1: 0.125, mean_auroc: null };
    await live.show({ type: "result", task: "classes", ...scores } as LinearEvent);
    await has("Scores so far", "12.5 %");
    await Deno.writeTextFile(`${folder}/report.html`, "<html><body>whole</body></html>");
    const statistics = {} as EncoderStatistics;
    await live.show({ type: "end", files: [`${folder}/linear_eval.json`, `${folder}/report.html`], statistics });
    assert(!(await has("whole")).includes("Progress"));
  });
});

Deno.test("a program with --watch serves its report while it trains, with no more than the documented permission", async () => {
  await withFolder(async (folder) => {
    await writeSmallCifar(`${folder}/data`, 60, 15);
    const args = [...smallRun(`${folder}/data`, `${folder}/run`), "--epochs", "60", "--eval_every", "0"];
    const permissions = ["read", "write", "env", "sys", "ffi", "net=127.0.0.1"].map((name) => `--allow-${name}`);
    const process = new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--no-prompt", ...permissions, "examples/cifar10.ts", ...args, "--json", "--watch"],
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    let [seen, titles] = [[] as string[], ""];
    let following: Promise<void> | null = null;
    for await (const event of eventsOf(process)) {
      const url = `${event.message ?? ""}`.match(/^Live report: (http:\/\/127\.0\.0\.1:\d+\/)$/)?.[1];
      if (!url) continue;
      following = (async () => {
        for await (const name of eventsAt(url)) {
          seen = [...seen, name];
          if (name === "message" && titles === "") titles = await textOf(fetch(url));
          if (seen.length === 1) process.kill("SIGINT"); // the first state was seen while it trained
        }
      })();
    }
    await following;
    const { code } = await process.status;
    await process.stderr.cancel();
    assertEquals(code, 130);
    assert(seen.length >= 1 && seen[0] === "message", `${seen}`);
    for (const heading of ["<h2>Loss</h2>", "<h2>Throughput</h2>", 'id="live"']) assertStringIncludes(titles, heading);
  });
});
