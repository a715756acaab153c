import { Html, html, type HtmlValue } from "./html.ts";

type Plot = typeof import("@observablehq/plot");
type PlotOptions = NonNullable<Parameters<Plot["plot"]>[0]>;

/** Words for those who cannot see a chart. */
export interface ChartWords {
  /** Name of the chart. */
  readonly title: string;
  /** Description of the picture, for those who cannot see it. */
  readonly description: string;
}

/** Widths that a chart is drawn in, px; the page shows the one that fits, so that its text keeps its size. */
const WIDTHS = { wide: 760, narrow: 330 } as const;

const STYLE = { background: "none", color: "currentColor", fontSize: "12px", overflow: "visible" };

/** Draws a chart at both widths, with what is said below it. */
export async function figure(
  words: ChartWords,
  options: (plot: Plot, width: number) => PlotOptions,
  caption?: HtmlValue,
): Promise<Html> {
  const drawn = [];
  for (const [name, width] of Object.entries(WIDTHS)) {
    drawn.push(html`<div class="${name}">${await svg(words, (plot) => ({ width, ...options(plot, width) }))}</div>`);
  }
  return html`<figure>${drawn}${caption}</figure>`;
}

/** Draws a picture without text, which is scaled to the page. */
export async function scaledFigure(
  words: ChartWords,
  options: (plot: Plot) => PlotOptions,
  caption?: HtmlValue,
): Promise<Html> {
  return html`<figure>${await svg(words, options)}${caption}</figure>`;
}

/** Plot draws on a document; linkedom's stands in for a browser's. */
async function svg({ title, description }: ChartWords, options: (plot: Plot) => PlotOptions): Promise<Html> {
  const plot = await import("@observablehq/plot");
  const { parseHTML } = await import("linkedom");
  const { document } = parseHTML("<html><body></body></html>") as unknown as {
    document: NonNullable<PlotOptions["document"]>;
  };
  const made = plot.plot({ document, style: STYLE, ...options(plot) });
  made.setAttribute("role", "img");
  for (const [name, text] of [["desc", description], ["title", title]] as const) {
    const element = document.createElementNS("http://www.w3.org/2000/svg", name);
    element.textContent = text;
    made.prepend(element);
  }
  return new Html(made.outerHTML);
}

/** An axis whose name stands in its middle, where no tick is. */
export function axis(label: string | undefined): { label: string | null; labelAnchor: "center"; labelArrow: "none" } {
  return { label: label ?? null, labelAnchor: "center", labelArrow: "none" };
}

/** The whole numbers around a range that is ticked about every 60 px, and the range that they span. */
export function wholeTicks(low: number, high: number, width: number): { domain: [number, number]; ticks: number[] } {
  const from = Math.floor(low);
  const to = Math.max(from + 1, Math.ceil(high));
  const least = (to - from) / Math.max(1, Math.floor(width / 60));
  const power = 10 ** Math.max(0, Math.floor(Math.log10(least)));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((each) => each >= least)!;
  const first = Math.ceil(from / step) * step;
  const ticks = Array.from({ length: Math.floor((to - first) / step) + 1 }, (_, i) => first + i * step);
  return { domain: [from, to], ticks };
}
