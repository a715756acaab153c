import { Html, html } from "./html.ts";

/** Colours that people with any kind of colour vision can tell apart (Okabe and Ito), readable on light and dark. */
export const COLORS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"] as const;

/** A line of a chart. */
export interface Series {
  /** Name in the legend. */
  name: string;
  /** Points in order; those that are not finite are left out. */
  points: readonly { x: number; y: number }[];
}

/** Words of a chart: the axes with their units. */
export interface ChartText {
  /** Label of the horizontal axis, with its unit. */
  x: string;
  /** Label of the vertical axis, with its unit. */
  y: string;
}

/** An image at a place. */
export interface Placed {
  /** Coordinate along the bottom. */
  x: number;
  /** Coordinate upwards. */
  y: number;
  /** Data URI. */
  src: string;
  /** Shown by the browser on hover. */
  title: string;
}

const STYLE = { background: "none", color: "currentColor", fontSize: "12px" };

type Plot = typeof import("@observablehq/plot");
type PlotDocument = NonNullable<Parameters<Plot["plot"]>[0]>["document"];

/** Plot draws on a document; linkedom's stands in for a browser's. */
async function draw(make: (plot: Plot, document: PlotDocument) => { outerHTML: string }): Promise<Html> {
  const plot = await import("@observablehq/plot");
  const { parseHTML } = await import("linkedom");
  const page = parseHTML("<html><body></body></html>") as unknown as { document: PlotDocument };
  return new Html(make(plot, page.document).outerHTML);
}

/** Lines over a common x, with a legend. */
export async function lineChart(series: readonly Series[], text: ChartText): Promise<Html> {
  const points = series.flatMap(({ name, points }) =>
    points.filter(({ x, y }) => Number.isFinite(x) && Number.isFinite(y)).map((point) => ({ ...point, name }))
  );
  const names = series.map(({ name }) => name);
  const svg = await draw((plot, document) =>
    plot.plot({
      document,
      width: 760,
      height: 300,
      marginLeft: 60,
      style: STYLE,
      x: { label: text.x, grid: false },
      y: { label: text.y, grid: true, nice: true },
      color: { domain: names, range: COLORS.slice(0, names.length) },
      marks: [
        plot.lineY(points, { x: "x", y: "y", z: "name", stroke: "name", strokeWidth: 2 }),
        plot.dot(points, { x: "x", y: "y", fill: "name", r: points.length > 60 ? 0 : 2.5 }),
      ],
    })
  );
  const legend = names.map((name, i) =>
    html`<span><i style="background:${COLORS[i % COLORS.length]}"></i>${name}</span>`
  );
  return html`<figure>${svg}<figcaption class="legend">${legend}</figcaption></figure>`;
}

/** Images at their places in the plane: a map of an embedding. */
export async function imageMap(points: readonly Placed[], size = 20): Promise<Html> {
  const svg = await draw((plot, document) =>
    plot.plot({
      document,
      width: 900,
      height: 700,
      axis: null,
      style: STYLE,
      marks: [plot.image(points, { x: "x", y: "y", src: "src", width: size, height: size, title: "title" })],
    })
  );
  return html`<figure>${svg}</figure>`;
}

/** A histogram of values, 40 bins. */
export async function histogram(values: readonly number[], text: ChartText): Promise<Html> {
  const svg = await draw((plot, document) =>
    plot.plot({
      document,
      width: 760,
      height: 240,
      marginLeft: 60,
      style: STYLE,
      x: { label: text.x },
      y: { label: text.y, grid: true },
      marks: [
        plot.rectY(values, { ...plot.binX({ y: "count" }, { x: (v: number) => v, thresholds: 40 }), fill: COLORS[0] }),
        plot.ruleY([0]),
      ],
    })
  );
  return html`<figure>${svg}</figure>`;
}

/** A histogram whose values are counted already, in bins of one width from `min` to `max`. */
export async function binned(
  counts: readonly number[],
  { min, max }: { min: number; max: number },
  text: ChartText,
): Promise<Html> {
  const width = (max > min ? max - min : 1) / counts.length;
  const bins = counts.map((count, i) => ({ count, low: min + i * width, high: min + (i + 1) * width }));
  const svg = await draw((plot, document) =>
    plot.plot({
      document,
      width: 760,
      height: 240,
      marginLeft: 60,
      style: STYLE,
      x: { label: text.x },
      y: { label: text.y, grid: true },
      marks: [plot.rectY(bins, { x1: "low", x2: "high", y: "count", fill: COLORS[0] }), plot.ruleY([0])],
    })
  );
  return html`<figure>${svg}</figure>`;
}

/** A matrix in colours, from small (dark) to large (bright). */
export async function heatMap(values: ArrayLike<number>, rows: number, cols: number, text: ChartText): Promise<Html> {
  const cells = Array.from(values, (value, i) => ({ value, row: Math.floor(i / cols), col: i % cols }));
  const svg = await draw((plot, document) =>
    plot.plot({
      document,
      width: 560,
      height: 120 + Math.round(420 * rows / cols),
      padding: 0,
      style: STYLE,
      x: { label: text.x, ticks: [] },
      y: { label: text.y, ticks: [] },
      color: { scheme: "viridis", legend: false },
      marks: [plot.cell(cells, { x: "col", y: "row", fill: "value" })],
    })
  );
  const [low, high] = cells.reduce(([a, b], { value }) => [Math.min(a, value), Math.max(b, value)], [
    Infinity,
    -Infinity,
  ]);
  return html`<figure>${svg}<figcaption class="faint">${low.toPrecision(3)} (dark) to ${
    high.toPrecision(3)
  } (bright)</figcaption></figure>`;
}

/** A mean with its deviation. */
export interface Spread {
  /** Name of what the mean is of; ranges of one group stand side by side. */
  group: string;
  /** Name in the legend. */
  name: string;
  /** Mean. */
  mean: number;
  /** Half the length of the bar. */
  deviation: number;
  /** The values themselves, drawn as small dots. */
  values: readonly number[];
}

/** Means with error bars, side by side in groups, with the single values behind them. */
export async function errorBars(ranges: readonly Spread[], text: { y: string }): Promise<Html> {
  const names = [...new Set(ranges.map(({ name }) => name))];
  const groups = [...new Set(ranges.map(({ group }) => group))];
  const bars = ranges.map((range) => ({
    ...range,
    low: range.mean - range.deviation,
    high: range.mean + range.deviation,
  }));
  const dots = ranges.flatMap(({ values, ...range }) => values.map((value) => ({ ...range, value })));
  const svg = await draw((plot, document) =>
    plot.plot({
      document,
      width: Math.max(900, 165 * groups.length), // the names of the groups beside each other
      height: 320,
      marginLeft: 60,
      style: STYLE,
      fx: { domain: groups, label: null, padding: 0.1 },
      x: { domain: names, axis: null, padding: 0.4 },
      y: { label: text.y, grid: true, nice: true },
      color: { domain: names, range: COLORS.slice(0, names.length) },
      marks: [
        plot.ruleX(bars, { fx: "group", x: "name", y1: "low", y2: "high", stroke: "name", strokeWidth: 3 }),
        plot.dot(dots, { fx: "group", x: "name", y: "value", fill: "name", r: 2, fillOpacity: 0.5 }),
        plot.dot(bars, { fx: "group", x: "name", y: "mean", fill: "name", r: 5 }),
      ],
    })
  );
  const legend = names.map((name, i) =>
    html`<span><i style="background:${COLORS[i % COLORS.length]}"></i>${name}</span>`
  );
  return html`<figure>${svg}<figcaption class="legend">${legend}</figcaption></figure>`;
}
