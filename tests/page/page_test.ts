// The page that learns in the browser, in headless Chromium: what WebGPU computes there, SwiftShader does on the CPU.
import { assert, assertEquals, assertLess, assertMatch } from "@std/assert";
import { join } from "@std/path";
import { ChromiumPage, findChromium } from "../../scripts/_runtimes/chromium.ts";
import { serveFolder } from "../../scripts/_runtimes/serve.ts";
import { buildPage } from "../../scripts/page.ts";

const chromium = await findChromium();

/** A test that needs Chromium; where it is missing it is skipped, and its name says why. */
function test(name: string, fn: (command: string) => Promise<void>, lacking = ""): void {
  const command = chromium ?? "";
  const reason = chromium ? lacking : "there is no chromium";
  const says = reason ? `${name} (skipped as ${reason})` : name;
  Deno.test({ name: says, ignore: reason !== "", fn: () => fn(command) });
}

/** What takes 40 s on SwiftShader alone, and minutes where other programs share its cores. */
const SLOW = Deno.env.get("PAGE") ? "" : "PAGE=1 is not set: it trains for 40 s on SwiftShader";

async function withPage(
  command: string,
  body: (page: ChromiumPage, address: string, folder: string) => Promise<void>,
  flags: readonly string[] = [],
): Promise<void> {
  const folder = await Deno.makeTempDir();
  await buildPage(folder);
  const server = serveFolder(folder);
  try {
    await using page = await ChromiumPage.open(command, flags);
    await body(page, `http://127.0.0.1:${server.addr.port}/`, folder);
  } finally {
    await server.shutdown();
    await Deno.remove(folder, { recursive: true });
  }
}

/** Times of the main thread's tasks, ms of the thread's own clock, which other programs do not lengthen. */
async function tasksOf(page: ChromiumPage, body: () => Promise<void>): Promise<number[]> {
  const events: { name: string; cat: string; pid: number; tid: number; tdur?: number; args?: { name?: string } }[] = [];
  let finish: () => void;
  const finished = new Promise<void>((resolve) => finish = resolve);
  page.listen((method, { value }) => {
    if (method === "Tracing.dataCollected") events.push(...value as typeof events);
    if (method === "Tracing.tracingComplete") finish();
  });
  const categories = ["toplevel", "devtools.timeline", "disabled-by-default-devtools.timeline"];
  await page.send("Tracing.start", { traceConfig: { includedCategories: categories }, transferMode: "ReportEvents" });
  await body();
  await page.send("Tracing.end");
  await finished;
  const mains = new Set(
    events.filter(({ name, args }) => name === "thread_name" && args?.name === "CrRendererMain")
      .map(({ pid, tid }) => `${pid} ${tid}`),
  );
  const own = events.filter(({ name, pid, tid }) => /RunTask$/.test(name) && mains.has(`${pid} ${tid}`));
  return own.map(({ tdur = 0 }) => tdur / 1000);
}

interface DOMRectLike {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** What the page tells in its alert, once it tells something. */
async function alertOf(page: ChromiumPage): Promise<string> {
  await page.until("document.querySelector('[role=alert]:not([hidden])')", 30);
  return await page.evaluate<string>("document.querySelector('[role=alert]').textContent");
}

const EPOCH = "Number(document.getElementById('epoch').textContent)";
/** Sum of the colours of the heat maps of the kernel and of the weights. */
const [GRAM, WEIGHTS] = ["gram", "weights"].map((id) =>
  `document.getElementById('${id}').getContext('2d').getImageData(0, 0, 48, 48).data.reduce((a, b) => a + b, 0)`
) as [string, string];

const PICKED = "document.getElementById('emoji').value";

/** Clicks here and there on a map until an emoji is hit. */
async function clickSomeEmoji(page: ChromiumPage): Promise<void> {
  const { x, y, width, height } = await page.evaluate<DOMRectLike>(
    "document.getElementById('map-plain').getBoundingClientRect().toJSON()",
  );
  for (let down = 15; down < height; down += 30) {
    for (let right = 15; right < width; right += 30) {
      await page.click(x + right, y + down);
      if (await page.evaluate(PICKED)) return;
    }
  }
  throw new Error("No click hits an emoji");
}

/** Presses arrows until another emoji is chosen; the one that was chosen may be the last in a direction. */
async function pressUntilMoved(page: ChromiumPage, clicked: string): Promise<void> {
  for (const arrow of ["ArrowRight", "ArrowLeft", "ArrowUp", "ArrowDown"]) {
    await page.press(arrow);
    if (await page.evaluate(PICKED) !== clicked) return;
  }
  throw new Error("No arrow chooses another emoji");
}

/** Checks that a loss falls, by its curve: y grows as the loss falls. */
async function checkLoss(page: ChromiumPage, arm: string): Promise<void> {
  const points = await page.evaluate<string>(`document.querySelector('#loss .${arm}').getAttribute('points')`);
  const heights = points.split(" ").map((point) => Number(point.split(",")[1]));
  const mean = (part: number[]) => part.reduce((sum, each) => sum + each / part.length, 0);
  assertLess(mean(heights.slice(0, 3)), mean(heights.slice(-3)), `the loss of the network "${arm}" does not fall`);
}

/** Moves a slider, and waits until a heat map has changed. */
async function moveSlider(page: ChromiumPage, id: string, value: number, heat: string): Promise<void> {
  const before = await page.evaluate<number>(heat);
  await page.evaluate(
    `(() => { const slider = document.getElementById('${id}'); slider.value = ${value}; ` +
      "for (const type of ['input', 'change']) slider.dispatchEvent(new Event(type, { bubbles: true })); })()",
  );
  await page.until(`${heat} !== ${before}`, 60);
}

test("the page trains, shows neighbours, follows the sliders, pauses and begins anew", async (command) => {
  await withPage(command, async (page, address) => {
    await page.go(`${address}?emoji=96&width=4&stages=1&batch=16&epochs=30`);
    await page.until(`${EPOCH} > 0`, 120);
    const tasks = await tasksOf(page, async () => {
      await page.until(`${EPOCH} > 3`, 120);
      await clickSomeEmoji(page);
      await page.until("document.querySelectorAll('#neighbours li').length === 12", 30);
      const clicked = await page.evaluate<string>(PICKED);
      await page.evaluate("document.getElementById('map-words').focus()");
      await pressUntilMoved(page, clicked);
    });
    assert(tasks.length > 10, `${tasks.length} tasks were seen`);
    assertLess(Math.max(...tasks), 50);
    assertEquals(await page.evaluate("document.getElementById('adapter').textContent"), "swiftshader");
    for (const arm of ["plain", "words"]) await checkLoss(page, arm);

    await moveSlider(page, "shuffle", 100, GRAM);
    await moveSlider(page, "ridge", 1, WEIGHTS);
    const before = await page.evaluate<number>(GRAM);
    await moveSlider(page, "sigma", 3, GRAM);
    assertLess(await page.evaluate<number>(GRAM), before, "a wider kernel makes no more alike");

    await page.evaluate("document.getElementById('run').click()");
    await page.until("document.getElementById('run').textContent === 'Resume'", 60);
    const stopped = await page.evaluate(EPOCH);
    await new Promise((resolve) => setTimeout(resolve, 500));
    assertEquals(await page.evaluate(EPOCH), stopped);
    await page.evaluate("document.getElementById('reset').click()");
    await page.until(`${EPOCH} > 0 && ${EPOCH} < ${stopped}`, 60);
  });
}, SLOW);

test("the page says what is missing where there is no WebGPU, and fits 400 px", async (command) => {
  await withPage(command, async (page, address) => {
    await page.send("Page.addScriptToEvaluateOnNewDocument", {
      source: "Object.defineProperty(Navigator.prototype, 'gpu', { get: () => undefined });",
    });
    await page.resize({ width: 400, height: 900 });
    await page.go(address);
    assertMatch(await alertOf(page), /WebGPU is missing in this browser/);
    assert(await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page is wider than 400 px");
    const unnamed = await page.evaluate<string[]>(
      "[...document.querySelectorAll('input, select, canvas, svg')].filter((e) => !e.labels?.length && " +
        "!e.getAttribute('aria-label')).map((e) => e.id)",
    );
    assertEquals(unnamed, []);
  });
});

test("the page says in a visitor's words that there is no graphics adapter", async (command) => {
  await withPage(command, async (page, address) => {
    await page.go(address);
    const text = await alertOf(page);
    assertMatch(text, /no graphics adapter/);
    assertMatch(text, /Turn on hardware acceleration.*chrome:\/\/gpu/);
    assert(!/Training|apt-get|Cannot/.test(text), text);
    assertEquals(await page.evaluate("document.getElementById('status').textContent"), "Not training.");
  }, ["--disable-gpu", "--disable-software-rasterizer"]);
});

test("the page says that WebGPU is missing where the Worker alone lacks it", async (command) => {
  await withPage(command, async (page, address) => {
    const withoutGpu = "data:text/javascript,Object.defineProperty(WorkerNavigator.prototype,'gpu',{value:undefined})";
    const start = `import "${withoutGpu}"; import "${address}worker.js";`;
    await page.send("Page.addScriptToEvaluateOnNewDocument", {
      source: `const start = URL.createObjectURL(new Blob([${JSON.stringify(start)}], { type: "text/javascript" }));
        globalThis.Worker = class extends Worker { constructor(_, options) { super(start, options); } };`,
    });
    await page.go(address);
    assertMatch(await alertOf(page), /WebGPU is missing in this browser/);
  });
});

test("the page does not say that training stopped where it did not start", async (command) => {
  await withPage(command, async (page, address, folder) => {
    await Deno.remove(join(folder, "emoji.json"));
    await page.go(address);
    assertMatch(await alertOf(page), /^Training cannot start\. /);
  });
});
