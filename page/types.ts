/** The two networks: one without words, one with. */
export const ARMS = ["plain", "words"] as const;
/** One of {@linkcode ARMS}. */
export type ArmName = (typeof ARMS)[number];

/** Sizes of the networks and their data; a software adapter gets less. */
export interface Size {
  /** Emoji, a fifth of them held out. */
  readonly emoji: number;
  /** Channels of the first stage. */
  readonly width: number;
  /** Stages of a block each; each has twice the channels of the one before. */
  readonly stages: number;
  /** Samples of a step. */
  readonly batch: number;
  /** Passes over the data. */
  readonly epochs: number;
}

/** Settings of the sliders. */
export interface KernelSettings {
  /** Width of the RBF kernel. */
  readonly sigma: number;
  /** λ of the centroid weights. */
  readonly ridge: number;
  /** Share of the emoji that get the words of others, 0 to 1. */
  readonly shuffle: number;
}

/** Messages from the page to the Worker. */
export type Command =
  | { readonly type: "open"; readonly size: Partial<Size>; readonly kernel: KernelSettings }
  | { readonly type: "pause" | "resume" | "reset" }
  | { readonly type: "kernel"; readonly kernel: KernelSettings }
  | { readonly type: "pick"; readonly index: number };

/** An emoji's neighbours among the other vendor's drawings, the nearest first. */
export interface Neighbours {
  /** The emoji that was picked. */
  readonly index: number;
  /** Numbers of each network. */
  readonly of: Readonly<Record<ArmName, readonly number[]>>;
}

/** Things that a browser may lack to train at all: a page that came over https, WebGPU, or an adapter that it uses. */
export type Lack = "https" | "webgpu" | "adapter";

/** Messages from the Worker to the page. */
export type News =
  | { readonly type: "lack"; readonly what: Lack }
  | { readonly type: "failed"; readonly message: string }
  | {
    readonly type: "opened";
    readonly adapter: string;
    readonly names: readonly string[];
    readonly sprites: ImageBitmap;
  }
  | {
    readonly type: "step";
    readonly arm: ArmName;
    readonly epoch: number;
    readonly loss: number;
    readonly speed: number;
  }
  | { readonly type: "map"; readonly arm: ArmName; readonly places: Float32Array<ArrayBuffer>; readonly top1: number }
  | { readonly type: "heat"; readonly gram: Float32Array; readonly weights: Float32Array }
  | { readonly type: "neighbours"; readonly found: Neighbours }
  | { readonly type: "state"; readonly state: "running" | "paused" | "finished" };

/** Emoji of a heat map. */
export const HEAT = 48;
/** Side of an emoji, px. */
export const SIDE = 32;
/** Emoji in a row of the sprites. */
export const ACROSS = 16;

/** Position of a vendor's drawing of a held-out emoji in the sprites, px. */
export function spriteAt(index: number, vendor: 0 | 1): { x: number; y: number } {
  return { x: (2 * (index % ACROSS) + vendor) * SIDE, y: Math.floor(index / ACROSS) * SIDE };
}
