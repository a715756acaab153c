/**
 * Runs the tests that descend from inputs of the field, those that once gave a wrong value, lost work or did not end:
 * `deno task cases`, or some of them by name, `deno task cases archives "short flags"`.
 *
 * @module
 */
import { fromFileUrl } from "@std/path";

/** A file in `tests/`, and what the names of its tests begin with. */
export type Descendants = readonly [file: string, ...names: string[]];

/** The tests of each case. */
export const CASES: Readonly<Record<string, readonly Descendants[]>> = {
  "header length": [
    ["formats/file_format_test.ts", "formatOf() takes safetensors", "writeSafetensors() never begins like a pickle"],
    [
      "checkpoints/file_test.ts",
      "readCheckpoint() reads every length of header",
      "readCheckpoint() reads headers",
    ],
  ],
  "advice": [["cli/custom_data_test.ts", "loadCustom() follows the advice"], [
    "jobs/pretrain/starting_point_test.ts",
    "startingPoint() advises --resume",
    "neededState() names",
  ], ["report/sharp_test.ts", "loadSharp() says"]],
  "archives": [
    [
      "data/files/archive_packings_test.ts",
      "extractTar() copies what a hard link is to",
      "extractTar() reads gzip of several members",
      "extractTar() says how to unpack",
    ],
    ["data/files/archive_names_test.ts", "extractTar() tells a plain archive"],
    ["formats/zip_test.ts", "openZip() reads names in UTF-8 where they are, else in code page 437"],
  ],
  "ill centroid weights": [
    ["kernels/centroid_weights_test.ts", "centroidWeights() of alike rows"],
    ["ops/linalg/hat_matrix_test.ts", "hatMatrix() of alike rows", "hatMatrix() of n equal rows"],
  ],
  "doubled parameters": [["optim/clip_test.ts", "clipGradNorm() refuses a norm that is not > 0"]],
  "prior scale": [
    ["data/priors/prior_test.ts", "loadPrior() refuses a prior that is 0"],
    ["jobs/pretrain/prior_test.ts", "priorOf() refuses rows"],
  ],
  "changed before backward": [["autograd/changed_test.ts", "backward() refuses"]],
  "class indices": [
    ["data/join_classes_test.ts", "joinClasses()"],
    ["eval/classifier_file_test.ts", "inOrderOf()", "checkFittedOn()"],
    ["eval/task_test.ts", "makeTask() says which labels are missing or wrong"],
    ["examples/linear_eval_test.ts", "linear_eval joins classes by name"],
  ],
  "compile closures": [["compile/check_test.ts", "compile() "], [
    "compile/compile_refusals_test.ts",
    "compile() finds a number, a tensor or a course",
  ]],
  "f64 settings": [
    ["tensor/given_test.ts", "checkSetting() takes what f32 holds", "The "],
    ["optim/ema_test.ts", "EMA leaves equal tensors"],
    ["optim/optimizers_test.ts", "Optimizer.step() refuses a rate"],
  ],
  "foreign checkpoints": [["eval/encoder_file_test.ts", "loadEncoder() finds", "loadEncoder() lets pooled features"]],
  "silent losses": [
    ["data/priors/prior_csv_test.ts", "loadPrior() loses no first line"],
    ["data/files/download_refusals_test.ts", "download() keeps no text"],
    ["data/files/archive_names_test.ts", "ArchiveWriter refuses two folders"],
    ["data/files/archive_test.ts", "extractTar() removes what a killed extraction left"],
    ["formats/pickle_test.ts", "unpickle() adds nothing to a tuple"],
    ["formats/dtype_test.ts", "decodeElements() reads truth values"],
    ["checkpoints/file_test.ts", "readCheckpoint() refuses a file that is cut anywhere"],
    ["jobs/linear/linear_job_test.ts", "linearJob() writes each task's results as they come"],
    [
      "jobs/pretrain/settings_test.ts",
      "differences() names another",
      "startingPoint() refuses",
      "dataFacts() tells",
      "knownMicroBatch()",
    ],
  ],
  "numbers at the ends": [
    ["ops/conv/interpolate_test.ts", "interpolate() spreads a pixel"],
    ["ops/reduce/variance_test.ts", "variance() is finite wherever"],
  ],
  "ranks that do not come": [["distributed/mpi_test.ts", "a rank of "]],
  "other formats": [
    [
      "data/priors/prior_content_test.ts",
      "loadPrior() tells a prior by its content",
      "loadPrior() reads the arrays of a prior",
    ],
    ["formats/safetensors_test.ts", "readSafetensors() takes metadata of null"],
  ],
  "flag bounds": [["cli/flags_test.ts", "parseFlags() refuses values"], [
    "cli/pretrain_flags_test.ts",
    "parsePretrain() refuses what it cannot do",
  ]],
  "cut features": [["jobs/features/make_features_test.ts", "makeFeatures() encodes in the batches"]],
  "unbounded": [
    ["formats/file_format_test.ts", "contentOf() tells what is behind a prolog"],
    ["tensor/scope_test.ts", "tidy() keeps tensors of an object that is inside itself"],
    ["data/images/decode_contents_test.ts", "ImageDecoder turns a TIFF"],
  ],
  "hostile files": [
    ["formats/pickle_bounds_test.ts", "unpickle() refuses", "readTorch() refuses devices"],
    ["formats/safetensors_test.ts", "readSafetensors() reads long headers", "readSafetensors() names values"],
    ["formats/npy_test.ts", "readNpy() reads 64 dimensions and no more"],
    ["data/files/archive_test.ts", "extractTar() refuses", "extractZip() refuses"],
    ["data/priors/prior_csv_test.ts", "loadPrior() refuses a csv without rows"],
  ],
  "integer compare": [["ops/elementwise/compare_test.ts", "${name}() of integers and any number"]],
  "knn large": [["data/views/fitting_test.ts", "knn() gives the same whatever an adapter binds at once"]],
  "knn NaN": [
    [
      "eval/nan_test.ts",
      "The evaluation of features refuses",
      "What scores and predictions say",
      "Numbers that say how to evaluate",
    ],
  ],
  "no workgroups": [
    ["device/errors_test.ts", "A dispatch refuses workgroups"],
    ["device/program_test.ts", "A program of plain WGSL"],
    ["device/misuse_test.ts", "A constant that is no", "What a dispatch throws at once", "A storage that nobody holds"],
  ],
  "large prior": [["data/views/fitting_test.ts", "pretrain() takes a prior that is larger than a binding"]],
  "published batches": [["train/published_batches_test.ts", "a step on the published batch of"]],
  "prior CSV columns": [["data/priors/prior_csv_test.ts", "loadPrior() takes"]],
  "short flags": [["cli/flags_test.ts", "parseFlags() reads short flags"]],
  "stem padding": [["eval/encoder_file_test.ts", "loadEncoder() says that another program's stem"]],
  "torch stubs": [
    ["formats/torch_hostile_test.ts", "readTorch() puts a record", "readTorch() names what came in place"],
  ],
  "two reads": [[
    "device/errors_test.ts",
    "Every read after a failed submit fails",
    "A failed submit puts",
    "Every done() that a failed",
  ]],
  "races": [["portability/stores_test.ts", "withWholeStores()", "matmul() keeps", "cholesky() keeps"]],
};

/** The repository's `tests/`. */
const TESTS = new URL("../tests/", import.meta.url);

/** Lists the cases that no test's name begins with any more, as `FILE: NAME`. */
export async function lostCases(cases: typeof CASES = CASES): Promise<string[]> {
  const lost: string[] = [];
  for (const [file, ...names] of Object.values(cases).flat()) {
    const text = await Deno.readTextFile(new URL(file, TESTS)).catch(() => "");
    for (const name of names) {
      if (!text.includes(`"${name}`) && !text.includes(`\`${name}`)) lost.push(`${file}: ${name}`);
    }
  }
  return lost;
}

/** Arguments of `deno test` for the cases of these names. */
export function testArguments(names: readonly string[]): string[] {
  const all = names.map((name) => {
    if (Object.hasOwn(CASES, name)) return CASES[name]!;
    throw new RangeError(`Cannot run a case as it must be one of ${Object.keys(CASES).join(", ")}: got "${name}"`);
  }).flat();
  const begins = all.flatMap(([, ...each]) => each).map((name) =>
    name.split("${name}").map((part) => part.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&")).join(".*")
  );
  const files = new Set(all.map(([file]) => fromFileUrl(new URL(file, TESTS))));
  return ["test", "-A", "--filter", `/^(${begins.join("|")})/`, ...files];
}

if (import.meta.main) {
  const lost = await lostCases();
  if (lost.length > 0) throw new RangeError(`Cannot run the cases as each must have its tests: got none for ${lost}`);
  const args = testArguments(Deno.args.length > 0 ? Deno.args : Object.keys(CASES));
  Deno.exitCode = (await new Deno.Command(Deno.execPath(), { args }).spawn().status).code;
}
