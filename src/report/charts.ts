import { axis, figure, scaledFigure, wholeTicks } from "./draw.ts";
import { type Html, html } from "./html.ts";

/** Colours that people with any kind of colour vision can tell apart (Okabe and Ito), readable on light and dark. */
export const COLORS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"] as const;

/** A line of a chart. */
export interface Series {
  /** Name in the legend. */
  readonly name: string;
  /** Points in order; those that are not finite are left out. */
  readonly points: readonly { readonly x: number; readonly y: number }[];
  /** Mark of the reference that the others are compared with: drawn dashed and without colour. */
  readonly reference?: boolean;
}

/** Words of a chart: the axes with their units. */
export interface ChartText {
  /** Label of the horizontal axis, with its unit. */
  readonly x: string;
  /** Label of the vertical axis, with its unit. */
  readonly y: string;
  /** Whether the horizontal axis counts something, such as epochs: whole numbers are ticked then. */
  readonly whole?: boolean;
}

/** An image at a place. */
export interface Placed {
  /** Coordinate along the bottom. */
  readonly x: number;
  /** Coordinate upwards. */
  readonly y: number;
  /** Data URI. */
  readonly src: string;
  /** Shown by the browser on hover. */
  readonly title: string;
}

/** Lines over a common x, with a legend. */
export async function lineChart(series: readonly Series[], text: ChartText): Promise<Html> {
  const points = series.flatMap(({ name, points, reference = false }) =>
    points.filter(({ x, y }) => Number.isFinite(x) && Number.isFinite(y)).map((each) => ({ ...each, name, reference }))
  );
  const [own, others] = [points.filter(({ reference }) => !reference), points.filter(({ reference }) => reference)];
  const names = series.filter(({ reference }) => !reference).map(({ name }) => name);
  const [low, high] = rangeOf(points.map(({ x }) => x));
  const words = { title: `${text.y} by ${text.x}`, description: series.map((each) => describe(each, text)).join("; ") };
  const legend = html`<figcaption class="legend">${legendOf(names)}${
    series.filter(({ reference }) => reference).map(({ name }) => html`<span><i class="dashed"></i>${name}</span>`)
  }</figcaption>`;
  return await figure(words, (plot, width) => ({
    height: 300,
    marginLeft: 68,
    marginBottom: 42,
    x: { ...axis(text.x), grid: false, ...text.whole ? { ...wholeTicks(low, high, width), tickFormat: "d" } : {} },
    y: { ...axis(text.y), grid: true, nice: true, ...heightsOf(points.map(({ y }) => y)) },
    color: { domain: names, range: COLORS.slice(0, names.length) },
    marks: [
      plot.lineY(others, {
        x: "x",
        y: "y",
        z: "name",
        stroke: "currentColor",
        strokeOpacity: 0.6,
        strokeDasharray: "4 4",
      }),
      plot.lineY(own, { x: "x", y: "y", z: "name", stroke: "name", strokeWidth: 2 }),
      plot.dot(own, { x: "x", y: "y", fill: "name", r: own.length > 60 ? 0 : 2.5 }),
    ],
  }), legend);
}

/** Domain of an axis upwards, and its ticks as short as its margin is wide: `6e-5`, `120K`. */
function heightsOf(values: readonly number[]) {
  const most = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const domain = domainOf(values);
  if (most < 1e-3) return { ...domain, tickFormat: (value: number) => `${value && shortNumber(value)}` };
  return most < 1e5 ? domain : { ...domain, tickFormat: new Intl.NumberFormat("en", { notation: "compact" }).format };
}

function shortNumber(value: number): string {
  return Number(value.toPrecision(3)).toExponential().replace("-", "−");
}

/** A series in words: where it begins, ends and is extreme. */
function describe({ name, points }: Series, { x }: ChartText): string {
  const known = points.filter((point) => Number.isFinite(point.x) && Number.isFinite(point.y));
  const [first, last] = [known[0], known.at(-1)];
  if (!first || !last) return `${name}: no point`;
  const at = (point: { x: number; y: number }) => `${number(point.y)} at ${x} ${number(point.x)}`;
  const [low, high] = rangeOf(known.map(({ y }) => y));
  return `${name}: from ${at(first)} to ${at(last)}, between ${number(low)} and ${number(high)}`;
}

/** Least and greatest of some values; 0 and 1 without any. */
function rangeOf(values: readonly number[]): [low: number, high: number] {
  if (values.length === 0) return [0, 1];
  return values.reduce(([a, b], value) => [Math.min(a, value), Math.max(b, value)], [Infinity, -Infinity]);
}

/** A domain around a single value, whose tick would have all of its digits; Plot's own for several. */
function domainOf(values: readonly number[]): { domain?: [number, number] } {
  const [low, high] = rangeOf(values);
  const reach = Math.abs(low) / 2 || 1;
  return low === high ? { domain: [low - reach, high + reach] } : {};
}

function number(value: number): string {
  return `${Number(value.toPrecision(3))}`;
}

/** Spans that tell the colours of names. */
export function legendOf(names: readonly string[]): Html[] {
  return names.map((name, i) => html`<span><i style="background:${COLORS[i % COLORS.length]}"></i>${name}</span>`);
}

/** Options of {@linkcode imageMap}. */
export interface ImageMapOptions {
  /** Name of the map, for those who cannot see it. */
  readonly title: string;
  /** Side of an image, px; 20 by default. */
  readonly size?: number;
}

/** Images at their places in the plane: a map of an embedding. */
export async function imageMap(points: readonly Placed[], { title, size = 20 }: ImageMapOptions): Promise<Html> {
  const description = `${points.length} images; those that are near each other have similar features`;
  return await scaledFigure({ title, description }, (plot) => ({
    width: 900,
    height: 700,
    margin: 0,
    inset: size / 2 + 2, // an image is as wide beyond its place
    axis: null,
    marks: [plot.image(points, { x: "x", y: "y", src: "src", width: size, height: size, title: "title" })],
  }));
}

/** A histogram whose values are counted already, in bins of one width from `min` to `max`. */
export async function binned(
  counts: readonly number[],
  { min, max }: { min: number; max: number },
  text: ChartText,
): Promise<Html> {
  const width = (max > min ? max - min : 1) / counts.length;
  const bins = counts.map((count, i) => ({ count, low: min + i * width, high: min + (i + 1) * width }));
  const most = bins.reduce((a, b) => b.count > a.count ? b : a, bins[0] ?? { count: 0, low: min, high: max });
  const words = {
    title: `${text.y} by ${text.x}`,
    description: `from ${number(min)} to ${number(max)}, most (${most.count}) between ${number(most.low)} and ` +
      number(most.high),
  };
  return await figure(words, (plot) => ({
    height: 240,
    marginLeft: 68,
    marginBottom: 42,
    x: axis(text.x),
    y: { ...axis(text.y), grid: true },
    marks: [plot.rectY(bins, { x1: "low", x2: "high", y: "count", fill: COLORS[0] }), plot.ruleY([0])],
  }));
}

/** A matrix in colours, from small (dark) to large (bright). */
export async function heatMap(values: ArrayLike<number>, rows: number, cols: number, text: ChartText): Promise<Html> {
  const cells = Array.from(values, (value, i) => ({ value, row: Math.floor(i / cols), col: i % cols }));
  const [low, high] = rangeOf(cells.map(({ value }) => value));
  const range = `${number(low)} (dark) to ${number(high)} (bright)`;
  const about = text.x === text.y ? `rows and columns: ${text.x}` : `rows: ${text.y}, columns: ${text.x}`;
  const caption = html`<figcaption class="faint">${about}; ${range}</figcaption>`;
  const words = { title: `Matrix, ${about}`, description: `${rows} by ${cols} values, ${range}` };
  return await scaledFigure(words, (plot) => ({
    width: 560,
    height: Math.round(560 * rows / cols),
    margin: 0,
    padding: 0,
    axis: null,
    color: { scheme: "viridis", legend: false },
    marks: [plot.cell(cells, { x: "col", y: "row", fill: "value" })],
  }), caption);
}
