import { type Bytes, readNpz, readSafetensors, readTorch, stateDict, writeSafetensors } from "../../src/formats/mod.ts";
import {
  chainGlobals,
  numpyGlobals,
  openZip,
  pythonGlobals,
  readNpy,
  stubGlobals,
  unpickle,
  writeNpy,
  writeZip,
} from "../../src/formats/internal.ts";
import { decodePng } from "../../src/data/images/png.ts";
import { type Draw, mutate } from "./_mutate.ts";
import { mutateHeader, mutateMember, packed, repairPng, repairTar } from "./_repair.ts";

/** A reader, files that it reads, and how to damage them. */
export interface Reader {
  name: string;
  originals: () => Promise<Bytes[]>;
  read: (bytes: Bytes) => unknown;
  /** Default: one to four changes anywhere. */
  damage?: (originals: readonly Bytes[], draw: Draw) => Bytes | Promise<Bytes>;
  /** Mutants for each one that the others get (default 1): less where each takes long. */
  share?: number;
}

/** Files of the tests. */
export function fixtures(...names: string[]): () => Promise<Bytes[]> {
  return () => Promise.all(names.map((name) => Deno.readFile(new URL(`../${name}`, import.meta.url))));
}

const formats = (...names: string[]) => fixtures(...names.map((name) => `formats/fixtures/${name}`));
const images = (...names: string[]) => fixtures(...names.map((name) => `data/fixtures/images/${name}`));
const globals = chainGlobals(numpyGlobals, pythonGlobals, stubGlobals([""]));
const torch = (bytes: Bytes) => readTorch(bytes, { stubs: [""], checkCrc: false });
const damageTar = (originals: readonly Bytes[], draw: Draw) => repairTar(mutate(originals, draw));

async function readMembers(bytes: Bytes): Promise<void> {
  const zip = await openZip(bytes, { checkCrc: false, maxBytes: 2 ** 24 });
  for (const name of zip.entries.keys()) await zip.read(name);
}

async function npyFiles(): Promise<Bytes[]> {
  const texts = { shape: [2], dtype: "string", data: ["ab", "é"] } as const;
  return [
    writeNpy(texts),
    ...await formats("version2.npy", "version3.npy", "complex.npy", "records.npy", "objects.npy")(),
  ];
}

function safetensorsFiles(): Promise<Bytes[]> {
  const a = { shape: [2, 2], dtype: "f32", data: new Float32Array([1, 2, 3, 4]) } as const;
  const b = { shape: [], dtype: "i64", data: new BigInt64Array([5n]) } as const;
  return Promise.resolve([writeSafetensors({ a, b }, { note: 'a "quoted" one' }), writeSafetensors({}, {})]);
}

async function smallZips(): Promise<Bytes[]> {
  const members = [{ name: "a/b.txt", bytes: new Uint8Array(300) }, { name: "c", bytes: Uint8Array.of(1, 2, 3) }];
  return [await writeZip(members), await writeZip(members, { compressed: true }), ...await formats("python.zip")()];
}

/** Readers of one file's bytes. */
export const READERS: readonly Reader[] = [
  { name: "readNpy()", originals: npyFiles, read: (bytes) => readNpy(bytes) },
  {
    name: "readNpz()",
    originals: formats("arrays.npz", "prior.npz"),
    read: (bytes) => readNpz(bytes, { maxBytes: 2 ** 24 }),
  },
  { name: "openZip()", originals: smallZips, read: readMembers },
  { name: "readSafetensors()", originals: safetensorsFiles, read: readSafetensors },
  { name: "readSafetensors(), header", originals: safetensorsFiles, read: readSafetensors, damage: mutateHeader },
  {
    name: "unpickle()",
    originals: formats(...[0, 1, 2, 3, 4, 5].map((protocol) => `protocol${protocol}.pkl`), "cifar_batch"),
    read: (bytes) => unpickle(bytes, { globals, maxSteps: 100_000, maxBytes: 2 ** 25 }),
  },
  {
    name: "readTorch()",
    originals: formats("tensors.pt", "torch2_tensors.pt", "gloria.ckpt"),
    read: torch,
    share: 0.5,
  },
  {
    name: "readTorch(), members",
    originals: formats("tensors.pt", "torch2_tensors.pt", "gloria.ckpt", "checkpoint_0399.pth.tar"),
    read: torch,
    damage: mutateMember,
    share: 0.5,
  },
  {
    name: "readTorch(), before 1.6",
    originals: formats("tensors_legacy.pt", "checkpoint_legacy.pth.tar"),
    read: torch,
  },
  {
    name: "stateDict()",
    originals: formats("checkpoint_0399.pth.tar"),
    read: async (bytes) => stateDict(await torch(bytes), { prefixes: ["module."] }),
    damage: mutateMember,
    share: 0.2,
  },
  {
    name: "decodePng()",
    originals: images("rgb.png", "palette.png", "alpha.png", "bit.png"),
    read: (bytes) => decodePng(bytes),
  },
  {
    name: "decodePng(), behind checksums",
    originals: images("rgb.png", "palette.png", "alpha.png"),
    read: (bytes) => decodePng(bytes),
    damage: (originals, draw) => repairPng(mutate(originals, draw)),
  },
];

/** Archives as files; `pack` is what is around them. */
export const ARCHIVES: readonly (Omit<Reader, "read"> & { kind: "tar" | "zip" })[] = [
  { name: "extractTar()", kind: "tar", originals: fixtures("data/fixtures/ustar.tar"), damage: damageTar, share: 0.3 },
  {
    name: "extractTar(), gzip",
    kind: "tar",
    originals: fixtures("data/fixtures/gnu.tar.gz", "data/fixtures/pax.tar.gz"),
    share: 0.3,
  },
  {
    name: "extractTar(), inside gzip",
    kind: "tar",
    originals: async () =>
      await Promise.all((await fixtures("data/fixtures/gnu.tar.gz", "data/fixtures/pax.tar.gz")()).map(unpacked)),
    damage: (originals, draw) => packed(repairTar(mutate(originals, draw)), "gzip"),
    share: 0.3,
  },
  { name: "extractZip()", kind: "zip", originals: smallZips, share: 0.3 },
];

async function unpacked(bytes: Bytes): Promise<Bytes> {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
