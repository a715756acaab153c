import { HEAT } from "./types.ts";

/** Paints a matrix `[48, 48]`: 0 is the paper, its largest element the ink. */
export function paintHeat(canvas: HTMLCanvasElement, values: Float32Array): void {
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const [paper, ink] = dark ? [[28, 31, 37], [108, 182, 255]] as const : [[255, 255, 255], [11, 61, 110]] as const;
  const most = values.reduce((a, b) => Math.max(a, b), 1e-9);
  const image = new ImageData(HEAT, HEAT);
  values.forEach((value, i) => {
    const share = Math.min(1, Math.max(0, value / most)) ** 0.5; // small similarities are seen too
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = paper[c]! + share * (ink[c]! - paper[c]!);
    image.data[4 * i + 3] = 255;
  });
  canvas.getContext("2d")!.putImageData(image, 0, 0);
}
