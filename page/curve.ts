import { type ArmName, ARMS } from "./types.ts";

const [WIDTH, HEIGHT] = [600, 200];
const EDGE = { left: 44, right: 8, top: 8, bottom: 24 };
/** Points of a curve; beyond them every second one goes. */
const MOST = 400;

type Point = readonly [epoch: number, loss: number];

function element(name: string, attributes: Record<string, string | number>, text = ""): SVGElement {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  made.textContent = text;
  return made;
}

/** Loss curves of both networks. */
export class LossCurve {
  #svg: SVGSVGElement;
  #points: Record<ArmName, Point[]> = { plain: [], words: [] };
  #frame = 0;

  /** Takes the picture to draw into. */
  constructor(svg: SVGSVGElement) {
    this.#svg = svg;
    this.clear();
  }

  /** Begins anew. */
  clear(): void {
    this.#points = { plain: [], words: [] };
    this.#plan();
  }

  /** Adds a point. */
  add(arm: ArmName, epoch: number, loss: number): void {
    const points = this.#points[arm];
    points.push([epoch, loss]);
    if (points.length > MOST) this.#points[arm] = points.filter((_, i) => i % 2 === 0);
    this.#plan();
  }

  #plan(): void {
    if (this.#frame === 0) this.#frame = requestAnimationFrame(() => this.#draw());
  }

  #draw(): void {
    this.#frame = 0;
    const all = ARMS.flatMap((arm) => this.#points[arm]);
    const most = Math.max(1, ...all.map(([epoch]) => epoch));
    const low = Math.min(-0.5, ...all.map(([, loss]) => loss));
    const x = (epoch: number) => EDGE.left + epoch / most * (WIDTH - EDGE.left - EDGE.right);
    const y = (loss: number) => EDGE.top + loss / low * (HEIGHT - EDGE.top - EDGE.bottom);
    const marks = [0, low / 2, low].flatMap((loss) => [
      element("line", { class: "axis", x1: EDGE.left, x2: WIDTH - EDGE.right, y1: y(loss), y2: y(loss) }),
      element("text", { x: EDGE.left - 6, y: y(loss) + 4, "text-anchor": "end" }, loss.toFixed(1)),
    ]);
    const ends = [
      element("text", { x: WIDTH - EDGE.right, y: HEIGHT - 6, "text-anchor": "end" }, `epoch ${most.toFixed(1)}`),
    ];
    const lines = ARMS.map((arm) => {
      const points = this.#points[arm].map(([epoch, loss]) => `${x(epoch).toFixed(1)},${y(loss).toFixed(1)}`).join(" ");
      return element("polyline", { class: arm, points });
    });
    this.#svg.replaceChildren(...marks, ...ends, ...lines);
    const last = (arm: ArmName) => this.#points[arm].at(-1)?.[1].toFixed(2) ?? "none yet";
    this.#svg.setAttribute("aria-label", `Loss without words: ${last("plain")}; with words: ${last("words")}`);
  }
}
