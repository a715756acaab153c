// The page: shows what the Worker tells, and tells it what a person does. It computes nothing itself.
import { LossCurve } from "./curve.ts";
import { paintHeat } from "./heat.ts";
import { EmojiMap } from "./map.ts";
import {
  type ArmName,
  ARMS,
  type Command,
  type KernelSettings,
  type Lack,
  type Neighbours,
  type News,
  SIDE,
  type Size,
  spriteAt,
} from "./types.ts";

function at<E extends Element>(id: string): E {
  return document.getElementById(id) as unknown as E;
}

const TITLES: Record<ArmName, string> = { plain: "Without words", words: "With words" };
const STATES = { running: "Training.", paused: "Paused.", finished: "Finished: all epochs are done." } as const;
/** Words for a visitor where a browser lacks something. */
const LACKS: Record<Lack, string> = {
  https: "WebGPU is missing, as this page came over plain http.\nOpen it over https or from localhost.",
  webgpu: "WebGPU is missing in this browser, so nothing can be trained here.\n" +
    "Chrome and Edge 113, Safari 26 and Firefox 141 (Windows) have it; on Linux, Chrome may ask for " +
    "chrome://flags/#enable-unsafe-webgpu.",
  adapter: "This browser finds no graphics adapter, so nothing can be trained here.\n" +
    "Turn on hardware acceleration in the browser's settings and restart it, or try another browser; in Chrome and " +
    "Edge, chrome://gpu tells what is missing.",
};

const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
const tell = (command: Command) => worker.postMessage(command);
const curve = new LossCurve(at("loss"));
const maps: Record<ArmName, EmojiMap> = {
  plain: new EmojiMap(at("map-plain"), pick),
  words: new EmojiMap(at("map-words"), pick),
};
const run = at<HTMLButtonElement>("run");
const chosen = at<HTMLSelectElement>("emoji");
let names: readonly string[] = [];
let sprites: ImageBitmap;
let heat: Extract<News, { type: "heat" }> | null = null;

function pick(index: number): void {
  chosen.value = String(index);
  for (const arm of ARMS) maps[arm].picked = index;
  tell({ type: "pick", index });
}

function sliders(): KernelSettings {
  const value = (id: string) => at<HTMLInputElement>(id).valueAsNumber;
  return { sigma: value("sigma"), ridge: 10 ** value("ridge"), shuffle: value("shuffle") / 100 };
}

function showSliders(): void {
  const { sigma, ridge, shuffle } = sliders();
  const show = (id: string, text: string) => {
    at<HTMLOutputElement>(`${id}-value`).value = text;
    at<HTMLInputElement>(id).setAttribute("aria-valuetext", text);
  };
  show("sigma", sigma.toFixed(1));
  show("ridge", ridge.toPrecision(2));
  show("shuffle", `${Math.round(100 * shuffle)} %`);
}

/** A drawing of an emoji with its name. */
function tile(index: number, vendor: 0 | 1, same: boolean): HTMLLIElement {
  const item = document.createElement("li");
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIDE;
  canvas.ariaHidden = "true";
  const from = spriteAt(index, vendor);
  canvas.getContext("2d")!.drawImage(sprites, from.x, from.y, SIDE, SIDE, 0, 0, SIDE, SIDE);
  item.append(canvas, same ? `${names[index]} (the same)` : names[index]!);
  item.classList.toggle("same", same);
  return item;
}

let shown = "";
function showNeighbours(found: Neighbours): void {
  if (shown === JSON.stringify(found)) return; // what is unchanged is not read out again
  shown = JSON.stringify(found);
  const lists = ARMS.map((arm) => {
    const list = document.createElement("ol");
    list.append(...found.of[arm].map((index) => tile(index, 1, index === found.index)));
    const part = document.createElement("div");
    const title = document.createElement("h3");
    title.className = "note";
    title.textContent = `${TITLES[arm]}, nearest to ${names[found.index]}`;
    part.append(title, list);
    return part;
  });
  at("neighbours").replaceChildren(...lists);
}

function problem(text: string): void {
  const box = at<HTMLElement>("problem");
  box.hidden = false;
  box.textContent = text;
  at("status").textContent = "Not training.";
}

function opened(news: Extract<News, { type: "opened" }>): void {
  ({ names, sprites } = news);
  at("adapter").textContent = news.adapter;
  chosen.append(...names.map((name, i) => new Option(name, String(i))));
  chosen.selectedIndex = -1;
  for (const arm of ARMS) maps[arm].sprites = sprites;
  for (const each of [run, chosen, at<HTMLButtonElement>("reset")]) each.disabled = false;
}

function showState(state: keyof typeof STATES): void {
  at("status").textContent = STATES[state];
  run.textContent = state === "paused" ? "Resume" : "Pause";
  run.disabled = state === "finished";
}

function show(news: News): void {
  if (news.type === "lack") return problem(LACKS[news.what]);
  if (news.type === "failed") {
    return problem(`${names.length > 0 ? "Training stopped." : "Training cannot start."} ${news.message}`);
  }
  if (news.type === "opened") return opened(news);
  if (news.type === "neighbours") return showNeighbours(news.found);
  if (news.type === "state") return showState(news.state);
  if (news.type === "heat") {
    heat = news;
    return paintBoth();
  }
  if (news.type === "map") {
    maps[news.arm].move(news.places);
    at(`score-${news.arm}`).textContent = `same emoji nearest: ${(100 * news.top1).toFixed(0)} %`;
    return;
  }
  curve.add(news.arm, news.epoch, news.loss);
  at("epoch").textContent = news.epoch.toFixed(1);
  at("speed").textContent = news.speed.toFixed(0);
}

function paintBoth(): void {
  if (!heat) return;
  paintHeat(at("gram"), heat.gram);
  paintHeat(at("weights"), heat.weights);
}

/** Sizes that the address gives, such as `?batch=32`; for tests, and for GPUs that can do more. */
function asked(): Partial<Size> {
  const given = new URLSearchParams(location.search);
  const entries = ["emoji", "width", "stages", "batch", "epochs"].map((name) =>
    [name, Number(given.get(name))] as const
  );
  return Object.fromEntries(entries.filter(([, value]) => Number.isSafeInteger(value) && value > 0));
}

worker.onmessage = ({ data }: MessageEvent<News>) => show(data);
worker.onerror = ({ message }) => problem(`The page's Worker does not start. ${message}`);
chosen.addEventListener("change", () => pick(Number(chosen.value)));
run.addEventListener("click", () => tell({ type: run.textContent === "Pause" ? "pause" : "resume" }));
at("reset").addEventListener("click", () => {
  curve.clear();
  tell({ type: "reset" });
});
at("kernel").addEventListener("input", showSliders);
at("kernel").addEventListener("change", () => tell({ type: "kernel", kernel: sliders() }));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  paintBoth();
  for (const arm of ARMS) maps[arm].redraw();
});
showSliders();

if (!globalThis.isSecureContext) problem(LACKS.https);
else if (!navigator.gpu) problem(LACKS.webgpu);
else tell({ type: "open", size: asked(), kernel: sliders() });
