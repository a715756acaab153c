/**
 * Pages and charts: HTML with every value escaped, and SVG drawn from numbers.
 *
 * @module
 */
export {
  binned,
  type ChartText,
  COLORS,
  errorBars,
  heatMap,
  histogram,
  imageMap,
  lineChart,
  type Placed,
  type Series,
  type Spread,
} from "./charts.ts";
export { type Best, Html, html, type HtmlValue, page, type Section, table } from "./html.ts";
export { dataUris } from "./images.ts";
