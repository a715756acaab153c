import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { binned, errorBars, heatMap, type Html, imageMap, lineChart } from "../../src/report/mod.ts";
import { wholeTicks } from "../../src/report/draw.ts";

/** The pictures of a figure: for a page, for a phone. */
function pictures(figure: Html): string[] {
  return [...`${figure}`.matchAll(/<svg[^]*?<\/svg>/g)].map(([svg]) => svg);
}

/** What is written at the ticks of an axis. */
function tickLabels(svg: string, axis: "x" | "y"): string[] {
  const group = svg.match(new RegExp(`<g[^>]*aria-label="${axis}-axis tick label"[^]*?</g>`))![0];
  return [...group.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text!);
}

const HALVES = [0.5, 1, 1.5, 2, 2.5, 3].map((x) => ({ x, y: -x * x }));

Deno.test("lineChart() ticks whole epochs, names axes in their middle, and is drawn for pages and for phones", async () => {
  const text = { x: "epoch", y: "loss" };
  const drawn = pictures(await lineChart([{ name: "loss", points: HALVES }], { ...text, whole: true }));
  assertEquals(drawn.map((svg) => svg.match(/ width="(\d+)"/)![1]), ["760", "330"]);
  for (const svg of drawn) {
    assertEquals(tickLabels(svg, "x"), ["0", "1", "2", "3"]);
    const label = svg.match(/<g[^>]*aria-label="x-axis label"[^]*?<\/g>/)![0];
    const [, x] = label.match(/<text transform="translate\(([\d.]+)/)!;
    const middle = (68 + Number(svg.match(/ width="(\d+)"/)![1]) - 20) / 2;
    assert(Math.abs(Number(x) - middle) < 2, `${x} is not ${middle}`);
  }
  const [plain] = pictures(await lineChart([{ name: "loss", points: HALVES }], text));
  assert(tickLabels(plain!, "x").some((label) => label.includes(".")), "the choice is what makes the ticks whole");
});

Deno.test("lineChart() ticks round values around a single one", async () => {
  const one = { name: "loss", points: [{ x: 0.25, y: -0.21455123 }] };
  const [svg] = pictures(await lineChart([one], { x: "epoch", y: "loss", whole: true }));
  const ticks = tickLabels(svg!, "y");
  assert(ticks.length > 2 && ticks.every((label) => label.length <= 5), `${ticks}`);
});

Deno.test("wholeTicks() spans the values by a step that leaves room, and one epoch at least", () => {
  assertEquals(wholeTicks(0.25, 0.75, 700), { domain: [0, 1], ticks: [0, 1] });
  assertEquals(wholeTicks(1, 1, 700).domain, [1, 2]);
  const { domain, ticks } = wholeTicks(0.004, 399.2, 330);
  assertEquals([domain, ticks], [[0, 400], [0, 100, 200, 300, 400]]);
  assertEquals(wholeTicks(3, 17, 330).ticks, [5, 10, 15]);
});

Deno.test("charts are images with a name and a description for those who cannot see them", async () => {
  const text = { x: "epoch", y: "loss" };
  const figures = [
    await lineChart([{ name: "<a>", points: HALVES }, { name: "none", points: [] }], text),
    await binned([1, 5, 2], { min: 0, max: 3 }, { x: "similarity", y: "pairs" }),
    await heatMap([0, 1, 0.25, 1], 2, 2, { x: "image", y: "image" }),
    await imageMap([{ x: 0, y: 1, src: "data:,", title: "dot" }], { title: "Map" }),
    await errorBars([{ group: "g", name: "n", mean: 0.5, deviation: 0.1, values: [0.4, 0.6] }], { x: "share" }),
  ];
  const said = figures.map((figure) =>
    pictures(figure).map((svg) =>
      svg.match(/^<svg[^>]* role="img"[^>]*><title>([^<]*)<\/title><desc>([^<]*)<\/desc>/)!.slice(1)
    )
  );
  assertEquals(said.map((each) => each.length), [2, 2, 1, 1, 2]);
  assertEquals(said.map(([first]) => first), [
    ["loss by epoch", "&lt;a&gt;: from -0.25 at epoch 0.5 to -9 at epoch 3, between -9 and -0.25; none: no point"],
    ["pairs by similarity", "from 0 to 3, most (5) between 1 and 2"],
    ["Matrix, rows and columns: image", "2 by 2 values, 0 (dark) to 1 (bright)"],
    ["Map", "1 images; those that are near each other have similar features"],
    ["share: means and deviations", "g, n: 0.500 ± 0.100"],
  ]);
});

Deno.test("imageMap() holds all of every image", async () => {
  const corners = [[-3, -2], [-3, 5], [7, -2], [7, 5]].map(([x, y]) => ({ x: x!, y: y!, src: "data:,", title: "" }));
  const [svg] = pictures(await imageMap(corners, { title: "Map", size: 30 }));
  const places = [...svg!.matchAll(/<image [^>]*y="([-\d.]+)" x="([-\d.]+)"/g)].map((
    [, y, x],
  ) => [Number(x), Number(y)]);
  assertEquals(places.length, 4);
  for (const [x, y] of places) assert(x! >= 0 && x! <= 870 && y! >= 0 && y! <= 670, `${x}, ${y}`);
});

Deno.test("lineChart() draws what others are compared with dashed and without a colour", async () => {
  const chance = { name: "chance (0.1)", points: [{ x: 0, y: 0.1 }, { x: 3, y: 0.1 }], reference: true };
  const figure = await lineChart([{ name: "top-1", points: HALVES }, chance], { x: "epoch", y: "share" });
  const [svg] = pictures(figure);
  assertEquals(svg!.split("stroke-dasharray").length, 2);
  assertStringIncludes(`${figure}`, '<i class="dashed"></i>chance (0.1)');
});

Deno.test("lineChart() writes small and large heights shortly, clear of the axis' name", async () => {
  const ticks = async (factor: number) => {
    const points = [1, 2, 3].map((x) => ({ x, y: factor * x }));
    const [svg] = pictures(await lineChart([{ name: "rate", points }], { x: "epoch", y: "rate" }));
    return tickLabels(svg!, "y");
  };
  assertEquals((await ticks(2e-5)).slice(0, 2), ["2e−5", "2.5e−5"]);
  assertEquals((await ticks(1e5)).at(-1), "300K");
  assertEquals((await ticks(0.1)).at(-1), "0.30");
});
