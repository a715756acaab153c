import { assertAlmostEquals, assertEquals } from "@std/assert";
import type { RgbImage } from "../../src/data/mod.ts";
import { areaResize, gloriaSquare } from "../../src/encoders/area.ts";
import { sampleBilinear } from "../../src/encoders/bilinear.ts";

/** An image with the same value in the three channels. */
function gray(rows: readonly (readonly number[])[]): RgbImage {
  return { data: Uint8Array.from(rows.flat().flatMap((v) => [v, v, v])), height: rows.length, width: rows[0]!.length };
}

function firstChannel({ data }: { data: ArrayLike<number> }): number[] {
  return Array.from(data).filter((_, i) => i % 3 === 0);
}

Deno.test("areaResize() averages what a pixel covers, also parts of pixels, and rounds halves to even", () => {
  assertEquals(firstChannel(areaResize(gray([[1, 2, 7, 8], [3, 4, 9, 10]]), { height: 1, width: 2 })), [2, 8]); // 2.5, 8.5
  assertEquals(firstChannel(areaResize(gray([[30, 60, 90]]), { height: 1, width: 2 })), [40, 80]); // (30 + 60 / 2) / 1.5
  assertEquals(areaResize(gray([[5, 6], [7, 8]]), { height: 2, width: 2 }).data, gray([[5, 6], [7, 8]]).data);
});

Deno.test("areaResize() grows as OpenCV's INTER_AREA: whole pixels, mixed only where an output pixel covers two", () => {
  assertEquals(firstChannel(areaResize(gray([[0, 100]]), { height: 1, width: 4 })), [0, 0, 100, 100]);
  assertEquals(firstChannel(areaResize(gray([[0, 100]]), { height: 1, width: 3 })), [0, 50, 100]);
});

Deno.test("gloriaSquare() fits the long side, puts zeros around, and cuts the middle out", () => {
  const wide = gloriaSquare(gray([[9, 9, 9, 9], [9, 9, 9, 9]]), { side: 4, crop: 4 });
  assertEquals(firstChannel(wide), [0, 0, 0, 0, 9, 9, 9, 9, 9, 9, 9, 9, 0, 0, 0, 0]);
  const tall = gloriaSquare(gray([[1], [2], [3], [4]]), { side: 4, crop: 2 }); // one column: zeros 1 left, 2 right
  assertEquals(firstChannel(tall), [2, 0, 3, 0]);
});

Deno.test("sampleBilinear() keeps corners, or takes pixels as squares", () => {
  const pixels = gray([[0, 10, 40]]).data;
  const at = (width: number, alignCorners: boolean) =>
    firstChannel({ data: sampleBilinear(pixels, { height: 1, width: 3 }, { height: 1, width }, { alignCorners }) });
  assertEquals(at(5, true), [0, 5, 10, 25, 40]);
  assertEquals(at(1, true), [0]);
  const squares = at(6, false); // places -0.25 (held at 0), 0.25, 0.75, 1.25, 1.75, 2.25
  [0, 2.5, 7.5, 17.5, 32.5, 40].forEach((value, i) => assertAlmostEquals(squares[i]!, value, 1e-5));
});
