import { assert, assertEquals } from "@std/assert";
import { resolveConfig } from "../../src/train/resolve.ts";
import { type Setting, TRAINING } from "../../src/train/mod.ts";

Deno.test("resolveConfig() fills in what is absent or undefined, and keeps what is given", () => {
  const { batchSize, views, momentum, weightDecay, ridge, microBatch, etaMin, start, group, lr } = resolveConfig({
    epochs: 1,
    batchSize: undefined,
    lr: 0,
  });
  assertEquals([batchSize, views, momentum, weightDecay, ridge, microBatch, etaMin, lr], [
    ...[256, 2, 0, 0, 0.01, undefined, 1e-3, 0],
  ]);
  assertEquals([start, group.size], [{ epoch: 0, step: 0 }, 1]);
  assertEquals(resolveConfig({ epochs: 1, optimizer: "lars" }).momentum, 0.9);
  assertEquals(resolveConfig({ epochs: 1, optimizer: "lars", momentum: 0 }).momentum, 0);
});

Deno.test("PretrainConfig's comments tell the defaults of the table", async () => {
  const source = await Deno.readTextFile(new URL("../../src/train/settings.ts", import.meta.url));
  const rows: (Setting & { option: string })[] = Object.values(TRAINING);
  const wrong = rows.filter(({ option, default: fallback, defaultBy = {} }) => {
    const [, comment = ""] = source.match(new RegExp(`/\\*\\*((?:(?!\\*/)[^])*)\\*/\\s+${option}\\??:`)) ?? [];
    const words = comment.replaceAll(/[;,.)]*\s/g, " ");
    const values = [fallback, ...Object.values(defaultBy).flatMap((by) => Object.values(by))];
    return values.some((value) =>
      value !== undefined && !words.includes(typeof value === "string" ? `"${value}"` : ` ${value} `)
    );
  });
  assertEquals(wrong, []);
  assert(rows.length > 10);
});
