import { COLORS, legendOf } from "./charts.ts";
import { axis, figure } from "./draw.ts";
import { type Html, html } from "./html.ts";

/** A mean with its deviation. */
export interface Spread {
  /** Name of what the mean is of; ranges of one group stand together. */
  readonly group: string;
  /** Name in the legend. */
  readonly name: string;
  /** Mean. */
  readonly mean: number;
  /** Half the length of the bar. */
  readonly deviation: number;
  /** The values themselves, drawn as small dots. */
  readonly values: readonly number[];
}

/** Height of a name's line, and of what a group takes beside, px. */
const [LINE, GROUP] = [14, 34];

/** Means with error bars, one group below the other, with the single values behind them. */
export async function errorBars(ranges: readonly Spread[], text: { x: string }): Promise<Html> {
  const names = [...new Set(ranges.map(({ name }) => name))];
  const groups = [...new Set(ranges.map(({ group }) => group))];
  const bars = ranges.map((range) => ({
    ...range,
    low: range.mean - range.deviation,
    high: range.mean + range.deviation,
  }));
  const dots = ranges.flatMap(({ values, ...range }) => values.map((value) => ({ ...range, value })));
  const words = {
    title: `${text.x}: means and deviations`,
    description: ranges.map(({ group, name, mean, deviation }) =>
      `${group}, ${name}: ${mean.toFixed(3)} ± ${deviation.toFixed(3)}`
    ).join("; "),
  };
  const legend = html`<figcaption class="legend">${legendOf(names)}</figcaption>`;
  return await figure(words, (plot) => ({
    height: 58 + groups.length * (GROUP + LINE * names.length),
    marginLeft: 20,
    marginRight: 20,
    marginTop: 16,
    marginBottom: 42,
    x: { ...axis(text.x), grid: true, nice: true },
    y: { domain: names, axis: null, inset: 8 },
    fy: { domain: groups, axis: null, padding: 0.2 },
    color: { domain: names, range: COLORS.slice(0, names.length) },
    marks: [
      plot.text(groups, {
        fy: (group: string) => group,
        text: (group: string) => group,
        frameAnchor: "top-left",
        dy: -6,
      }),
      plot.ruleY(bars, { fy: "group", y: "name", x1: "low", x2: "high", stroke: "name", strokeWidth: 3 }),
      plot.dot(dots, { fy: "group", y: "name", x: "value", fill: "name", r: 2, fillOpacity: 0.5 }),
      plot.dot(bars, { fy: "group", y: "name", x: "mean", fill: "name", r: 5 }),
    ],
  }), legend);
}
