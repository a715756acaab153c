/**
 * Pages and charts: HTML with every value escaped, and SVG drawn from numbers.
 *
 * @module
 */
export {
  binned,
  type ChartText,
  COLORS,
  heatMap,
  imageMap,
  type ImageMapOptions,
  lineChart,
  type Placed,
  type Series,
} from "./charts.ts";
export { errorBars, type Spread } from "./bars.ts";
export { type Best, Html, html, type HtmlValue, page, type Section, table } from "./html.ts";
export { dataUris, spriteSheet } from "./images.ts";
