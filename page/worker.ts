/// <reference lib="webworker" />
// The Worker: opens the GPU, trains both networks in turn, and tells the page.
import { Device, DeviceError, scope, tensor } from "@decoupled/uniformity";
import { centroidWeights, rbf } from "@decoupled/uniformity/kernels";
import { Arm, WIDTH } from "./arm.ts";
import { type EmojiData, loadEmoji, spritesOf, wordsOf } from "./emoji.ts";
import { centredUnit, matchRate, nearest, Projection } from "./geometry.ts";
import {
  type ArmName,
  ARMS,
  type Command,
  HEAT,
  type KernelSettings,
  type Lack,
  type Neighbours,
  type News,
  type Size,
} from "./types.ts";

const worker = self as unknown as DedicatedWorkerGlobalScope;

/** Sizes that a GPU trains, and those for an adapter that computes on the CPU. */
const SIZES: Record<"gpu" | "cpu", Size> = {
  gpu: { emoji: 1906, width: 16, stages: 3, batch: 256, epochs: 60 },
  cpu: { emoji: 480, width: 8, stages: 3, batch: 64, epochs: 40 },
};
/** Neighbours that are shown. */
const SHOWN = 6;
/** Reports between two maps. */
const MAP_EVERY = 3;

function tell(news: News, transfer: Transferable[] = []): void {
  worker.postMessage(news, transfer);
}

class Session {
  #device: Device;
  #data: EmojiData;
  #size: Size;
  #kernel: KernelSettings;
  #arms!: Record<ArmName, Arm>;
  #features: Partial<Record<ArmName, [Float32Array, Float32Array]>> = {};
  #projections!: Record<ArmName, Projection>;
  #picked: number | null = null;
  #commands: Exclude<Command, { type: "pick" }>[] = [];
  #wake: (() => void) | null = null;
  #paused = false;
  #finished = false;
  #rounds = 0;

  constructor(device: Device, data: EmojiData, size: Size, kernel: KernelSettings) {
    this.#device = device;
    this.#data = data;
    this.#size = size;
    this.#kernel = kernel;
  }

  /** Takes a command. A pick is answered at once, from the last map; the others are carried out between two steps. */
  take(command: Command): void {
    if (command.type === "pick") return this.#pick(command.index);
    this.#commands.push(command);
    this.#wake?.();
  }

  /** Trains until the page is closed. */
  async run(): Promise<never> {
    await this.#reset();
    for (;;) {
      while (this.#commands.length > 0) await this.#obey(this.#commands.shift()!);
      if (this.#paused || this.#finished) await new Promise<void>((wake) => this.#wake = wake);
      else await this.#round();
    }
  }

  async #obey(command: Exclude<Command, { type: "pick" }>): Promise<void> {
    if (command.type === "kernel") {
      this.#kernel = command.kernel;
      await this.#heat();
      if (!this.#finished) await this.#arms.words.change(this.#kernel);
      return;
    }
    if (command.type === "reset") {
      for (const name of ARMS) await this.#arms[name].dispose();
      await this.#reset();
    }
    this.#paused = command.type === "pause";
    this.#state();
  }

  async #reset(): Promise<void> {
    const make = (kernel: KernelSettings | null) => new Arm(this.#device, this.#data, this.#size, kernel);
    this.#arms = { plain: make(null), words: make(this.#kernel) };
    this.#projections = { plain: new Projection(), words: new Projection() };
    this.#finished = false;
    this.#rounds = 0;
    await this.#heat();
    for (const name of ARMS) await this.#map(name);
    this.#state();
  }

  /** A report of each network; a map now and then. */
  async #round(): Promise<void> {
    const started = performance.now();
    const reports = [];
    for (const name of ARMS) reports.push({ name, report: await this.#arms[name].step() });
    const seconds = (performance.now() - started) / 1000;
    const speed = 2 * 2 * this.#size.batch / seconds;
    this.#finished = reports.every(({ report }) => report === null);
    for (const { name, report } of reports) {
      if (report === null) continue;
      const epoch = report.epoch - 1 + report.step / report.steps;
      tell({ type: "step", arm: name, epoch, loss: report.loss, speed });
    }
    if (this.#rounds++ % MAP_EVERY === 0 || this.#finished) { for (const name of ARMS) await this.#map(name); }
    if (this.#finished) this.#state();
  }

  async #map(name: ArmName): Promise<void> {
    const [first, second] = this.#data.test;
    const arm = this.#arms[name];
    const both = [
      centredUnit(await arm.features(first), WIDTH),
      centredUnit(await arm.features(second), WIDTH),
    ] as const;
    this.#features[name] = [...both];
    const places = this.#projections[name].places(both[0], WIDTH);
    tell({ type: "map", arm: name, places, top1: matchRate(both[0], both[1], WIDTH) }, [places.buffer]);
    if (name === "words" && this.#picked !== null) this.#pick(this.#picked);
  }

  #pick(index: number): void {
    this.#picked = index;
    if (!this.#features.words) return; // the first map answers
    const of = (name: ArmName) => nearest(this.#features[name]![0], index, this.#features[name]![1], WIDTH, SHOWN);
    const found: Neighbours = { index, of: { plain: of("plain"), words: of("words") } };
    tell({ type: "neighbours", found });
  }

  async #heat(): Promise<void> {
    const { sigma, ridge, shuffle } = this.#kernel;
    const { dim, sorted } = this.#data;
    const words = wordsOf(this.#data, shuffle);
    const rows = new Float32Array(HEAT * dim);
    for (let i = 0; i < HEAT; i++) {
      const row = sorted[Math.floor(i * sorted.length / HEAT)]!;
      rows.set(words.subarray(row * dim, (row + 1) * dim), i * dim);
    }
    const step = scope();
    const prior = tensor(rows, { shape: [HEAT, dim], device: this.#device });
    const kernel = rbf({ sigma });
    const gram = await kernel(prior, prior).data();
    const weights = await centroidWeights(prior, { kernel, ridge }).data();
    step[Symbol.dispose]();
    tell({ type: "heat", gram: gram as Float32Array, weights: weights as Float32Array });
  }

  #state(): void {
    tell({ type: "state", state: this.#finished ? "finished" : this.#paused ? "paused" : "running" });
  }
}

let session: Promise<Session | null> | null = null;

/** Tells what is missing to open a device at all; null where nothing is. */
async function findLack(): Promise<Lack | null> {
  if (!navigator.gpu) return "webgpu"; // some browsers have it in pages alone
  return await navigator.gpu.requestAdapter({ powerPreference: "high-performance" }) ? null : "adapter";
}

/** Opens the GPU and loads the emoji; gives null where it tells that something is missing. */
async function open({ size, kernel }: Extract<Command, { type: "open" }>): Promise<Session | null> {
  const what = await findLack();
  if (what) {
    tell({ type: "lack", what });
    return null;
  }
  const device = await Device.open();
  const chosen = { ...SIZES[device.info.family], ...size };
  const data = await loadEmoji(location.href, chosen.emoji);
  const sprites = await spritesOf(data);
  tell({ type: "opened", adapter: device.info.description, names: data.names, sprites }, [sprites]);
  return new Session(device, data, chosen, kernel);
}

function fail(error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  tell({ type: "failed", message: error instanceof DeviceError ? `WebGPU: ${message}` : message });
}

worker.onmessage = async ({ data }: MessageEvent<Command>) => {
  try {
    if (data.type === "open") {
      session = open(data);
      await (await session)?.run();
    } else (await session)?.take(data);
  } catch (error) {
    fail(error);
  }
};
