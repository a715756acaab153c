import { SIDE, spriteAt } from "./types.ts";

/** Side of an emoji on the map, CSS px. */
const DRAWN = 22;
/** Time that emoji take to their new places, ms. */
const GLIDE = 400;

/** A canvas with the held-out emoji, which glide to where they belong. */
export class EmojiMap {
  #canvas: HTMLCanvasElement;
  #context: CanvasRenderingContext2D;
  #sprites: ImageBitmap | null = null;
  #from: Float32Array = new Float32Array();
  #to: Float32Array = new Float32Array();
  #started = 0;
  #frame = 0;
  #picked: number | null = null;

  /** Takes a canvas; `pick` is called with the emoji that a person chooses. */
  constructor(canvas: HTMLCanvasElement, pick: (index: number) => void) {
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d")!;
    canvas.addEventListener("click", ({ offsetX, offsetY }) => {
      const found = this.#nearest(offsetX, offsetY);
      if (found !== null) pick(found);
    });
    canvas.addEventListener("keydown", (event) => {
      const found = this.#neighbour(event.key);
      if (found === null) return;
      event.preventDefault();
      pick(found);
    });
    new ResizeObserver(() => this.#plan()).observe(canvas);
  }

  /** Pictures of the emoji. */
  set sprites(sprites: ImageBitmap) {
    this.#sprites = sprites;
    this.#plan();
  }

  /** The emoji that is framed. */
  set picked(index: number) {
    this.#picked = index;
    this.#plan();
  }

  /** Draws again, in other colours. */
  redraw(): void {
    this.#plan();
  }

  /** Lets the emoji glide to new places, `[n, 2]` from -1 to 1. */
  move(places: Float32Array): void {
    this.#from = this.#to.length === places.length ? this.#now() : places;
    this.#to = places;
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.#started = still ? -Infinity : performance.now();
    this.#plan();
  }

  #now(): Float32Array {
    const t = Math.min(1, (performance.now() - this.#started) / GLIDE);
    const eased = t * t * (3 - 2 * t);
    return this.#to.map((to, i) => this.#from[i]! + eased * (to - this.#from[i]!));
  }

  #onCanvas(places: Float32Array, i: number): { x: number; y: number } {
    const { clientWidth, clientHeight } = this.#canvas;
    const at = (value: number, length: number) => DRAWN / 2 + 3 + (value + 1) / 2 * (length - DRAWN - 6);
    return { x: at(places[2 * i]!, clientWidth), y: at(places[2 * i + 1]!, clientHeight) };
  }

  #nearest(x: number, y: number): number | null {
    const places = this.#now();
    let [found, best] = [null as number | null, DRAWN ** 2];
    for (let i = 0; i < places.length / 2; i++) {
      const at = this.#onCanvas(places, i);
      const distance = (at.x - x) ** 2 + (at.y - y) ** 2;
      if (distance <= best) [found, best] = [i, distance];
    }
    return found;
  }

  /** The nearest emoji in the direction of an arrow key. */
  #neighbour(key: string): number | null {
    const direction = ({ ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] } as Record<
      string,
      readonly [number, number]
    >)[key];
    const count = this.#to.length / 2;
    if (!direction || count === 0) return null;
    const own = this.#onCanvas(this.#to, this.#picked ?? 0);
    let [found, best] = [this.#picked ?? 0, Infinity];
    for (let i = 0; i < count; i++) {
      const { x, y } = this.#onCanvas(this.#to, i);
      const along = (x - own.x) * direction[0] + (y - own.y) * direction[1];
      const across = Math.abs((x - own.x) * direction[1]) + Math.abs((y - own.y) * direction[0]);
      const distance = along + 2 * across;
      if (along > 0.5 && distance < best) [found, best] = [i, distance];
    }
    return found;
  }

  #plan(): void {
    if (this.#frame === 0) this.#frame = requestAnimationFrame(() => this.#draw());
  }

  #draw(): void {
    this.#frame = 0;
    const { clientWidth, clientHeight } = this.#canvas;
    const scale = Math.min(2, devicePixelRatio);
    const [width, height] = [Math.round(clientWidth * scale), Math.round(clientHeight * scale)];
    if (this.#canvas.width !== width) this.#canvas.width = width;
    if (this.#canvas.height !== height) this.#canvas.height = height;
    const context = this.#context;
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.fillStyle = getComputedStyle(this.#canvas).backgroundColor;
    context.fillRect(0, 0, clientWidth, clientHeight);
    const places = this.#now();
    for (let i = 0; i < places.length / 2; i++) if (i !== this.#picked) this.#drawEmoji(i, places, DRAWN);
    if (this.#picked !== null && places.length > 0) this.#drawPicked(this.#picked, places);
    if (performance.now() - this.#started < GLIDE) this.#plan();
  }

  #drawEmoji(i: number, places: Float32Array, side: number): void {
    if (!this.#sprites) return;
    const { x, y } = this.#onCanvas(places, i);
    const from = spriteAt(i, 0);
    this.#context.drawImage(this.#sprites, from.x, from.y, SIDE, SIDE, x - side / 2, y - side / 2, side, side);
  }

  #drawPicked(i: number, places: Float32Array): void {
    const { x, y } = this.#onCanvas(places, i);
    const side = DRAWN + 8;
    const context = this.#context;
    context.fillStyle = "#fff";
    context.strokeStyle = "#c4006e";
    context.lineWidth = 3;
    context.beginPath();
    context.roundRect(x - side / 2, y - side / 2, side, side, 5);
    context.fill();
    this.#drawEmoji(i, places, side - 4);
    context.stroke();
  }
}
