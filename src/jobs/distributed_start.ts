import { createHash } from "node:crypto";
import type { Device } from "../device/mod.ts";
import type { ImageDataset } from "../data/mod.ts";
import { checkAgreement, type Communicator, gatherBytes } from "../distributed/mod.ts";
import type { TrainingPosition } from "../checkpoints/mod.ts";
import { VERSION } from "./version.ts";

/** Environment that chooses a GPU for Vulkan; `CUDA_VISIBLE_DEVICES` does not. */
const SELECTION = [
  "MESA_VK_DEVICE_SELECT",
  "VK_DRIVER_FILES",
  "VK_ICD_FILENAMES",
  "VK_LOADER_DEVICE_SELECT",
  "VK_LOADER_DRIVERS_SELECT",
  "NVIDIA_VISIBLE_DEVICES",
] as const;

/** Files of images whose bytes are compared. */
const MOST_FILES = 64;

/** Versions of the software on a rank. */
export interface Versions {
  /** Version of this library. */
  readonly library: string;
  /** Version of Deno. */
  readonly deno: string;
}

/**
 * Refuses ranks that would not work together on the same images in the same way.
 *
 * @param group The ranks; one alone agrees with itself.
 * @param settings What all must have alike, by the name of its flag; all but `workers`, which changes no result.
 * @param datasets The images: names, labels, prior and pixels in memory are compared; of images in files, names and the
 *   bytes of 64 files, spread evenly.
 * @param versions What runs here; this library and this Deno by default.
 * @throws {TypeError} On every rank, naming those that differ from rank 0, and how.
 */
export async function checkRanks(
  group: Communicator,
  settings: object,
  datasets: readonly (ImageDataset | null)[],
  versions: Versions = { library: VERSION, deno: Deno.version.deno },
): Promise<void> {
  if (group.size === 1) return;
  const flags = Object.entries(settings).filter(([name]) => name !== "workers")
    .map(([name, value]) => [`--${name}`, String(value)]);
  const images = datasets.filter((dataset) => dataset !== null);
  const data = await Promise.all(images.map(async (dataset) => [
    [`the number of ${dataset.split} images`, `${dataset.length}`],
    [`the hash of the ${dataset.split} data`, await dataHash(dataset)],
  ]));
  checkAgreement(group, {
    "the version of the library": versions.library,
    "the version of Deno": versions.deno,
    ...Object.fromEntries([...flags, ...data.flat()]),
  });
}

/**
 * Refuses ranks that found other checkpoints.
 *
 * @throws {TypeError} On every rank, naming those that differ from rank 0.
 */
export function checkStart(group: Communicator, { epoch, step }: TrainingPosition): void {
  checkAgreement(group, { "the start (--save_dir must be shared)": `${epoch} epochs and ${step} steps done` });
}

async function dataHash({ paths, labels, prior, pixels, files }: ImageDataset): Promise<string> {
  const hash = createHash("sha256");
  for (const path of paths ?? []) hash.update(`${path}\n`);
  for (const { buffer, byteOffset, byteLength } of [labels, prior?.data, pixels?.data].filter((data) => !!data)) {
    hash.update(new Uint8Array(buffer, byteOffset, byteLength));
  }
  const names = files?.paths ?? [];
  const count = Math.min(names.length, MOST_FILES);
  for (let i = 0; i < count; i++) {
    const file = names[Math.floor(i * names.length / count)]!;
    hash.update(await Deno.readFile(file).catch(() => "unreadable"));
  }
  return hash.digest("hex").slice(0, 16);
}

/** Describes where each rank runs, a line each, and which ranks share an adapter. */
export function describeRanks(group: Communicator, device: Device): string[] {
  const chosen = SELECTION.flatMap((name) => {
    const value = Deno.env.get(name);
    return value ? [`${name}=${value}`] : [];
  }).join(" ");
  const own = { host: group.host, adapter: device.info.description, chosen, cores: navigator.hardwareConcurrency };
  const ranks = gatherBytes(group, new TextEncoder().encode(JSON.stringify(own)))
    .map((bytes) => JSON.parse(new TextDecoder().decode(bytes)) as typeof own);
  const lines = ranks.map(({ host, adapter, chosen }, rank) =>
    `Rank ${rank} on ${host}: ${adapter}${chosen ? ` (${chosen})` : ""}`
  );
  const places = Map.groupBy(ranks.keys(), (rank) => JSON.stringify({ ...ranks[rank], cores: 0 }));
  for (const [first, ...others] of places.values()) {
    if (others.length === 0) continue;
    lines.push(
      `Ranks ${[first, ...others].join(", ")} share one adapter, as far as can be seen: give each rank its own ` +
        "environment, for example MESA_VK_DEVICE_SELECT (docs/distributed.md)",
    );
  }
  const bound = [...ranks.keys()].filter((rank) => ranks[rank]!.cores === 1);
  if (bound.length > 0) {
    lines.push(`Ranks ${bound.join(", ")} may use one core only, which makes them slow: mpirun --bind-to none`);
  }
  return lines;
}
