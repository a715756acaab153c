import { assert, assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import { FakeTime } from "@std/testing/time";
import sharp from "sharp";
import { Device } from "../../mod.ts";
import { type MetricsLine, pretrainJob } from "../../src/jobs/mod.ts";
import { OutputFolder } from "../../src/formats/mod.ts";
import { eventKeys, tfRecords } from "../../src/formats/internal.ts";
import { protobufFields } from "../../src/formats/protobuf.ts";
import { EventLog } from "../../src/jobs/tensorboard/event_log.ts";
import { histogramOf } from "../../src/jobs/tensorboard/histogram_of.ts";
import { writeProjector } from "../../src/jobs/tensorboard/projector.ts";
import { withFolder } from "../data/_helpers.ts";
import { SETTINGS, smallDataset } from "../train/_small.ts";

const device = await Device.open();

async function eventFile(folder: string): Promise<{ path: string; bytes: Uint8Array<ArrayBuffer> }> {
  const names = [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) => name.includes("tfevents"));
  assertEquals(names.length, 1, `${names}`);
  const path = `${folder}/${names[0]}`;
  return { path, bytes: await Deno.readFile(path) };
}

/** Step and tag of every value of a file, in order. */
async function keysOf(folder: string): Promise<string[]> {
  const { bytes } = await eventFile(folder);
  return tfRecords(bytes).flatMap((content) => {
    const { step, tags } = eventKeys(content)!;
    return tags.map((tag) => `${step} ${tag}`);
  });
}

/** The number that an event has under a tag, read from the fields of the message. */
function scalarOf(content: Uint8Array<ArrayBuffer>, tag: string): number | undefined {
  const inner = (bytes: Uint8Array<ArrayBuffer>, number: number) =>
    protobufFields(bytes)!.filter(({ field }) => field === number).map(({ value }) => value as Uint8Array<ArrayBuffer>);
  const values = inner(content, 5).flatMap((summary) => inner(summary, 1));
  const own = values.find((value) => new TextDecoder().decode(inner(value, 1)[0]) === tag);
  const number = own && inner(own, 2)[0];
  return number && new DataView(number.buffer, number.byteOffset).getFloat32(0, true);
}

Deno.test("pretrainJob() with tensorboard has each step once, also after a stop, a kill and a second run", async () => {
  await withFolder(async (folder) => {
    const prior = { data: Float32Array.from({ length: 80 }, (_, i) => (i * 7) % 11 / 11), dim: 4 };
    const dataset = { ...smallDataset(20), prior };
    const settings = { ...SETTINGS, kernel: "rbf", sigma: 1, tensorboard: true } as const;
    const run = async (saveDir: string, signal?: AbortController) => {
      const input = { device, dataset, heldOut: smallDataset(9), settings, saveDir, signal: signal?.signal };
      for await (const event of pretrainJob(input)) if (event.type === "step" && event.step === 2) signal?.abort();
    };
    await run(`${folder}/whole`);
    const whole = await keysOf(`${folder}/whole`);
    for (const key of ["0 kernel", "1 loss", "6 loss", "3 knn_top1", "3 features", "6 features", "6 centroid_square"]) {
      assert(whole.includes(key), `${key} in ${whole}`);
    }
    assertEquals(new Set(whole).size, whole.length);
    await run(`${folder}/parts`, new AbortController());
    const { path, bytes } = await eventFile(`${folder}/parts`);
    assert(!(await keysOf(`${folder}/parts`)).includes("6 loss"));
    await Deno.writeFile(path, bytes.subarray(0, bytes.length - 5)); // as a kill leaves it
    await run(`${folder}/parts`);
    assertEquals((await keysOf(`${folder}/parts`)).sort(), whole.toSorted());
    await run(`${folder}/parts`);
    assertEquals((await keysOf(`${folder}/parts`)).sort(), whole.toSorted());
    const lines = (await Deno.readTextFile(`${folder}/parts/metrics.jsonl`)).trim().split("\n");
    const { loss } = lines.map((line): MetricsLine => JSON.parse(line)).find((line) =>
      line.epoch === 2 && line.step === 1
    )!;
    const event = tfRecords((await eventFile(`${folder}/parts`)).bytes).find((content) =>
      eventKeys(content)!.step === 4 && eventKeys(content)!.tags.includes("loss")
    )!;
    assertAlmostEquals(scalarOf(event, "loss")!, Number(loss), 1e-6);
    assertStringIncludes(await Deno.readTextFile(`${folder}/parts/projector_config.pbtxt`), "sprite.png");
  });
});

Deno.test("EventLog goes on after what was written, drops later steps and a record that is cut, and adds no value twice", async () => {
  await withFolder(async (folder) => {
    using output = await OutputFolder.open(folder);
    const first = await EventLog.open(output, -1);
    for (let step = 1; step <= 4; step++) first.add(step, { loss: -step, lr: 1 });
    const { path } = await eventFile(folder);
    await Deno.writeFile(path, Uint8Array.of(3, 1, 4), { append: true });
    const second = await EventLog.open(output, 2);
    second.add(2, { loss: 7, knn_top1: 0.5 });
    second.add(3, { loss: -3 });
    assertEquals(await keysOf(folder), ["1 loss", "1 lr", "2 loss", "2 lr", "2 knn_top1", "3 loss"]);
    await EventLog.open(output, -1);
    assertEquals(await keysOf(folder), []);
  });
});

/** The time of an event, s since 1970. */
function timeOf(content: Uint8Array<ArrayBuffer>): number {
  const { value } = protobufFields(content)!.find(({ field }) => field === 1)!;
  const bytes = value as Uint8Array<ArrayBuffer>;
  return new DataView(bytes.buffer, bytes.byteOffset).getFloat64(0, true);
}

Deno.test("EventLog has the time in the name of its file and in each event", async () => {
  await withFolder(async (folder) => {
    using output = await OutputFolder.open(folder);
    using time = new FakeTime("2026-01-02T03:04:05.500Z");
    const log = await EventLog.open(output, -1);
    time.tick(1250);
    log.add(1, { loss: 2 });
    const { path, bytes } = await eventFile(folder);
    assert(path.endsWith("/events.out.tfevents.1767323045.uniformity"), path);
    assertEquals(tfRecords(bytes).map(timeOf), [1767323045.5, 1767323046.75]);
  });
});

// TensorBoard itself, where there is one: TENSORBOARD_PYTHON names an interpreter that has it.
const PYTHON = Deno.env.get("TENSORBOARD_PYTHON") ?? "python3";

async function python(code: string, ...args: string[]): Promise<string> {
  const command = new Deno.Command(PYTHON, { args: ["-c", code, ...args], stdout: "piped", stderr: "null" });
  try {
    return new TextDecoder().decode((await command.output()).stdout).trim();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

const HAS_TENSORBOARD =
  await python("import importlib.util as i; print(i.find_spec('tensorboard') is not None)") === "True";

const READ = `
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
log = EventAccumulator(sys.argv[1])
log.Reload()
scalars = [[each.step, each.value] for each in log.Scalars("loss")]
histogram = log.Histograms("features")[0]
value = histogram.histogram_value
print(json.dumps([scalars, histogram.step, value.num, value.min, value.max, list(value.bucket)]))
`;

Deno.test({
  name: `EventLog is read by TensorBoard itself${HAS_TENSORBOARD ? "" : ` (left out: ${PYTHON} has no tensorboard)`}`,
  ignore: !HAS_TENSORBOARD,
  async fn() {
    await withFolder(async (folder) => {
      using output = await OutputFolder.open(folder);
      const log = await EventLog.open(output, -1);
      const features = histogramOf(Float32Array.from({ length: 400 }, (_, i) => i / 4))!;
      for (let step = 1; step <= 5; step++) log.add(step, { loss: -step / 4 });
      log.add(5, { features });
      const [scalars, step, num, min, max, bucket] = JSON.parse(await python(READ, folder));
      assertEquals(scalars, [1, 2, 3, 4, 5].map((step) => [step, -step / 4]));
      assertEquals([step, num, min, max, bucket], [5, 400, 0, 99.75, [...features.counts]]);
    });
  },
});

Deno.test("histogramOf() counts every finite value once, and its sums are theirs", () => {
  const { min, max, sum, squares, edges, counts } = histogramOf([1, 2, NaN, 4, Infinity, -2])!;
  assertEquals([min, max, sum, squares], [-2, 4, 5, 25]);
  assertEquals([edges.length, edges.at(-1), counts.reduce((a, b) => a + b)], [40, 4, 4]);
  for (const value of [-2, 1, 2, 4]) assertEquals(counts[Math.min(39, Math.floor((value + 2) / 0.15))], 1, `${value}`);
  assertEquals(histogramOf([3, 3])!.counts[0], 2);
  assertEquals(histogramOf([NaN]), null);
});

Deno.test("writeProjector() writes a row, a class and a picture for each feature", async () => {
  await withFolder(async (folder) => {
    using output = await OutputFolder.open(folder);
    const dataset = { ...smallDataset(6), classes: ["a\tb", "b", "c"], paths: ["0", "1", "2", "3", "4", "5"] };
    const features = { data: Float32Array.from({ length: 15 }, (_, i) => i / 3), dim: 3 };
    await writeProjector(output, { features, rows: [0, 4, 2, 3, 1], dataset });
    const read = async (name: string) => (await Deno.readTextFile(output.file(name))).trimEnd().split("\n");
    assertEquals((await read("tensors.tsv")).slice(0, 2), ["0\t0.333333\t0.666667", "1\t1.33333\t1.66667"]);
    assertEquals((await read("metadata.tsv")).slice(0, 3), ["row\tclass\tpath", "0\ta b\t0", "4\tb\t4"]);
    const sheet = await sharp(output.file("sprite.png")).raw().toBuffer({ resolveWithObject: true });
    assertEquals([sheet.info.width, sheet.info.height, sheet.info.channels], [96, 96, 3]);
    assertEquals(
      [...sheet.data.subarray(95 * 96 * 3)].every((byte) => byte === 255),
      true,
      "no picture in the third row",
    );
    assert(sheet.data.subarray(0, 3).some((byte) => byte !== 255));
  });
});
