import type { KernelView, NamedNeighbours } from "./kernel_view.ts";
import type { KernelNeighbours } from "../../eval/mod.ts";
import { PICTURE } from "../../eval/internal.ts";
import { binned, dataUris, heatMap, type Html, html, type Section, table } from "../../report/mod.ts";

/** Renders what a report says of a kernel: numbers, advice, histogram, matrix, and neighbours with pictures. */
export async function kernelSection(
  name: string,
  { size, gram, description, neighbours }: KernelView,
): Promise<Section> {
  const { retainedVariance, mixing, effectiveRank, advice, similarity, histogram } = description;
  const { min, mean, max } = similarity;
  const rows = [
    ["retained variance", retainedVariance.toFixed(3)],
    ["weight given to others", mixing.toFixed(3)],
    ["effective rank", effectiveRank.toFixed(1)],
    ["similarity, least", min.toPrecision(3)],
    ["similarity, mean", mean.toPrecision(3)],
    ["similarity, most", max.toPrecision(3)],
  ];
  const body = html`
    ${table(["of the kernel", ""], rows)}
    <p>${advice ?? ""}</p>
    ${await binned(histogram, { min, max }, { x: "similarity of two images by their prior", y: "pairs" })}
    ${await heatMap(gram, size, size, { x: "image", y: "image" })}
    <p
      class="faint">Similarity of ${size} images by their prior, images of a class side by side. Retained variance: what the
    centroid weights leave of the centroids' spread, on a batch; near 0 there is nothing left to learn from.</p>
    ${await neighbourTable(neighbours)}
  `;
  return { heading: `Kernel (${name})`, body };
}

async function neighbourTable({ lists, pictures, names }: NamedNeighbours): Promise<Html> {
  const rows = [...pictures.keys()];
  const pixels = new Uint8Array(rows.length * PICTURE * PICTURE * 3);
  rows.forEach((row, i) => pixels.set(pictures.get(row)!, i * PICTURE * PICTURE * 3));
  const uris = rows.length > 0 ? await dataUris(pixels, PICTURE, PICTURE) : [];
  const uriOf = new Map(rows.map((row, i) => [row, uris[i]!]));
  const picture = (row: number) => {
    const title = names.get(row) ?? `image ${row}`;
    const uri = uriOf.get(row);
    return uri === undefined
      ? title
      : html`<img class="tile" src="${uri}" width="${PICTURE}" height="${PICTURE}" alt="${title}" title="${title}">`;
  };
  const line = ({ query, found }: KernelNeighbours["lists"][number]) =>
    html`<tr><td>${picture(query)}</td>${
      found.map(({ row, similarity }) => html`<td>${picture(row)} ${similarity.toFixed(2)}</td>`)
    }</tr>`;
  const width = lists[0]?.found.length ?? 1;
  return html`
    <figure>
      <table class="pictures">
        <thead>
          <tr>
            <th>image</th>
            <th colspan="${width}">most alike by the prior, with the similarity</th>
          </tr>
        </thead>
        <tbody>${lists.map(line)}</tbody>
      </table>
    </figure>
  `;
}
