import { parseDecimal, quoted } from "../../formats/internal.ts";
import { join } from "node:path";
import { chexpertPlaces } from "./_chexpert_places.ts";
import { columnOf, type CsvTable, readCsv } from "../files/csv.ts";
import { isFile, listSome } from "../files/files.ts";
import { listedPath } from "../files/lists.ts";
import { type DownloadSource, obtain } from "../files/obtain.ts";
import { type FileDataset, type MultiLabels, NORMALIZATION } from "../dataset.ts";
import { checkOptions } from "../../tensor/internal.ts";

/** View of an X-ray: postero-anterior, antero-posterior, lateral, lateral lying on the left or right side. */
export type CheXpertView = "PA" | "AP" | "L" | "LL" | "RL" | "UNKNOWN";

/** Options of {@linkcode loadCheXpert}. */
export interface CheXpertOptions {
  /** Part of the data set (default `train`). */
  split?: "train" | "valid";
  /** Views to keep (default: all). */
  views?: readonly CheXpertView[];
  /**
   * Value for a label of -1 (the report is uncertain): `nan`, not known (default, as the original); 0; 1; or `gloria`,
   * the values that GLoRIA uses (Atelectasis, Edema, Pleural Effusion 1; Cardiomegaly, Consolidation 0; others not
   * known).
   */
  uncertain?: "nan" | "zero" | "one" | "gloria";
  /** Value for a blank (the report does not mention it): `nan`, not known (default, as the original), or 0. */
  blank?: "nan" | "zero";
}

const SOURCES: readonly DownloadSource[] = [
  { folder: "CheXpert-v1.0-small", markers: ["train.csv"] },
  { folder: "CheXpert-v1.0", markers: ["train.csv"] },
  { folder: "CheXpert-v1.0 batch 1 (validate & csv)", markers: ["train.csv"] },
];

const ADVICE = "; CheXpert is to be had from the Stanford ML group after registration";

const PATHOLOGIES = [
  "Atelectasis",
  "Cardiomegaly",
  "Consolidation",
  "Edema",
  "Enlarged Cardiomediastinum",
  "Fracture",
  "Lung Lesion",
  "Lung Opacity",
  "Pleural Effusion",
  "Pleural Other",
  "Pneumonia",
  "Pneumothorax",
  "Support Devices",
];

const GLORIA: Record<string, number> = {
  "Atelectasis": 1,
  "Cardiomegaly": 0,
  "Consolidation": 0,
  "Edema": 1,
  "Pleural Effusion": 1,
};

const VIEWS: readonly string[] = ["PA", "AP", "L", "LL", "RL", "UNKNOWN"];
const PROBES = 16;

/**
 * Lists CheXpert: chest X-rays with 13 findings each, the small or the full version.
 *
 * `root` is the folder with `train.csv` and `valid.csv`, or the one above it, or the one with the "batch N" folders
 * that the full version's zip files unpack to. Images are read as luma and repeated in three channels. The labels are
 * `Float32Array [n, 13]` of 0, 1 and NaN (not known), findings in alphabetic order; "No Finding" is not one of them,
 * but where it is 1 all others except Support Devices are 0. Each row is an image; a note names paths that come twice.
 *
 * Differs from the original: views are filtered before anything is built (there, filtered labels stood beside
 * unfiltered images); what is uncertain or not mentioned can be chosen; images have three channels (there, one, which
 * the network refused).
 *
 * @param root The folder.
 * @returns Files, labels, and paths such as `train/patient00001/study1/view1_frontal.jpg`, in the order of the CSV file.
 * @throws {Deno.errors.NotFound} If the CSV file is absent.
 * @throws {SyntaxError} If the CSV file is damaged, or images it names are absent or outside the folder.
 * @throws {RangeError} If a view is unknown, or none of the images has one that is wanted.
 * @example Usage
 * ```ts no-assert ignore
 * import { loadCheXpert } from "@decoupled/uniformity/data";
 *
 * const train = await loadCheXpert("./data/CheXpert-v1.0-small", { views: ["PA", "AP"] });
 * console.log(train.length, train.classes);
 * ```
 */
export async function loadCheXpert(root: string, options: CheXpertOptions = {}): Promise<FileDataset<MultiLabels>> {
  checkOptions("loadCheXpert()", options, ["split", "views", "uncertain", "blank"]);
  const { split = "train", views = VIEWS } = options;
  const unknown = views.filter((view) => !VIEWS.includes(view));
  if (unknown.length > 0 || views.length === 0) {
    throw new RangeError(
      `Cannot load CheXpert as views must be some of ${VIEWS.join(", ")}: got ${unknown.join(", ") || "none"}`,
    );
  }
  const sources = SOURCES.map((source) => ({ ...source, markers: [`${split}.csv`] }));
  const { folder } = await obtain(root, { title: "CheXpert", sources, options: {}, advice: ADVICE });
  const table = await readCsv(join(folder, `${split}.csv`));
  const rows = rowsWithView(table, views);
  const pathColumn = columnOf(table, "Path");
  const paths = rows.map((row) => listedPath(table.path, row[pathColumn]!.replace(/^CheXpert-v1\.0[^/\\]*[/\\]/, "")));
  const placeOf = await chexpertPlaces([root, folder], folder);
  await probeImages(folder, paths, placeOf);
  return {
    name: "chexpert",
    split,
    length: rows.length,
    classes: [...PATHOLOGIES],
    labels: readLabels({ ...table, rows }, options),
    files: {
      paths: paths.map(placeOf),
      decode: { grayscale: true },
      evaluation: { grayscale: true, resize: { height: 224, width: 224 } },
    },
    paths,
    ...NORMALIZATION.chexpert,
    resolution: 224,
    notes: [
      ...(rows.length < table.rows.length
        ? [`CheXpert ${split}: ${rows.length} of ${table.rows.length} images have the views wanted`]
        : []),
      ...repeated(split, paths),
    ],
  };
}

/** A note on paths that come more than once: each row is an image, as for pandas, so that a list can give some more weight. */
function repeated(split: string, paths: readonly string[]): string[] {
  const seen = new Set<string>();
  const again = paths.filter((path) => seen.size === seen.add(path).size);
  return again.length === 0 ? [] : [`CheXpert ${split}: rows that repeat a path count as images: ${listSome(again)}`];
}

/** Rows of the images that have one of some views; never none. */
function rowsWithView(table: CsvTable, views: readonly string[]): string[][] {
  const viewOf = viewReader(table);
  const rows = table.rows.filter((row) => views.includes(viewOf(row)));
  if (rows.length > 0) return rows;
  throw new RangeError(
    `Cannot load CheXpert as no image has a view of ${views.join(", ")}: got ${table.rows.length} images`,
  );
}

function viewReader(table: CsvTable): (row: string[]) => CheXpertView {
  const [side, direction] = [columnOf(table, "Frontal/Lateral"), columnOf(table, "AP/PA")];
  return (row) => {
    if (row[side] === "Lateral") return "L";
    const view = row[direction]!;
    return row[side] === "Frontal" && VIEWS.includes(view) ? view as CheXpertView : "UNKNOWN";
  };
}

function readLabels(table: CsvTable, options: CheXpertOptions): MultiLabels {
  const columns = PATHOLOGIES.map((name) => columnOf(table, name));
  const healthy = columnOf(table, "No Finding");
  const labels = new Float32Array(table.rows.length * PATHOLOGIES.length);
  table.rows.forEach((row, i) => {
    const noFinding = parseLabel(table, row, healthy) === 1;
    PATHOLOGIES.forEach((name, column) => {
      const value = parseLabel(table, row, columns[column]!);
      labels[i * PATHOLOGIES.length + column] = noFinding && name !== "Support Devices"
        ? 0
        : decide(name, value, options);
    });
  });
  return labels;
}

/** Parses a label: 1, 0, -1, or `null` for a blank. */
function parseLabel(table: CsvTable, row: string[], column: number): number | null {
  const text = row[column]!.trim();
  if (text === "") return null;
  const value = parseDecimal(text);
  if (value !== 0 && value !== 1 && value !== -1) {
    throw new SyntaxError(
      `Cannot read "${table.path}" as "${table.header[column]}" must be 1, 0, -1 or blank: got ${quoted(text)} for ${
        quoted(row[0], 200)
      }`,
    );
  }
  return value;
}

function decide(name: string, value: number | null, { uncertain = "nan", blank = "nan" }: CheXpertOptions): number {
  if (value === null) return blank === "zero" ? 0 : NaN;
  if (value !== -1) return value;
  if (uncertain === "gloria") return GLORIA[name] ?? NaN;
  return uncertain === "zero" ? 0 : uncertain === "one" ? 1 : NaN;
}

/** Looks at a few images, spread over the list: 224,316 looks would take minutes on some disks. */
async function probeImages(folder: string, paths: string[], placeOf: (path: string) => string): Promise<void> {
  const count = Math.min(PROBES, paths.length);
  const probes = Array.from({ length: count }, (_, i) => paths[Math.floor(i * paths.length / count)]!);
  const absent: string[] = [];
  for (const path of probes) if (!await isFile(placeOf(path))) absent.push(path);
  if (absent.length > 0) {
    throw new SyntaxError(
      `Cannot use "${folder}" as the images must be there: ${absent.length} of ${count} that were looked at are absent: ${
        listSome(absent, 2)
      }`,
    );
  }
}
