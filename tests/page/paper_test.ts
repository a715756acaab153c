import { assertEquals } from "@std/assert";
import { cutOut } from "../../page/paper.ts";

/** RGBA of a drawing of grey values, a row a string: `.` white, `#` black, `+` half. */
function drawing(rows: readonly string[]): Uint8ClampedArray {
  const grey: Record<string, number> = { ".": 255, "#": 0, "+": 127 };
  return Uint8ClampedArray.from(rows.join("").split("").flatMap((c) => [grey[c]!, grey[c]!, grey[c]!, 255]));
}

Deno.test("cutOut() makes the paper around a drawing transparent, not white that is enclosed", () => {
  const pixels = drawing([
    ".....",
    ".###.",
    ".#.#.",
    ".+##.",
    ".....",
  ]);
  cutOut(pixels, 5);
  const alpha = (x: number, y: number) => pixels[4 * (5 * y + x) + 3];
  assertEquals([alpha(0, 0), alpha(4, 2), alpha(2, 2), alpha(1, 1)], [0, 0, 255, 255]);
  assertEquals([...pixels.subarray(4 * 16, 4 * 16 + 4)], [0, 0, 0, 128], "half white is half of black");
});
