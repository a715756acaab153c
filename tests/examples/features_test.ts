import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { Device } from "../../mod.ts";
import { readFrom, readNpz, writeTorch } from "../../src/formats/mod.ts";
import { Vit } from "../../src/nn/mod.ts";
import { readState } from "../../src/weights/mod.ts";
import { writeGraph } from "./_graph.ts";
import { documentedWithNpm } from "./_permissions.ts";

const PERMISSIONS = await documentedWithNpm();

async function run(program: string, ...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", ...PERMISSIONS, `examples/${program}.ts`, ...args],
    env: { NO_COLOR: "1" },
  }).output();
  return { code, out: new TextDecoder().decode(stdout), err: new TextDecoder().decode(stderr) };
}

Deno.test("make_bigbigan_features.ts and make_features.ts write priors with the order of their rows", async () => {
  const folder = await Deno.makeTempDir();
  const graph = await writeGraph(folder);
  const root = join(folder, "imagenet100");
  const shared = ["--demo", "--encoder", graph, "--workers", "1"];
  const first = await run("make_bigbigan_features", ...shared, "--root", root);
  assertEquals(first.code, 0, first.err);
  const prior = await readFrom(join(root, "imagenet100_prior.npz"), readNpz);
  assertEquals(prior.get("prior")?.shape, [36, 4]);
  assertEquals(prior.get("paths")?.shape, [36]);
  assertStringIncludes(first.err, `Wrote "${join(root, "imagenet100_prior.npz")}": prior [36, 4]`);

  const out = join(folder, "photos.npz");
  const half = ["--mean", "0.5,0.5,0.5", "--std", "0.5,0.5,0.5", "--output", "bn_crelu_feat"];
  const again = await run("make_features", ...shared, "--db", "imagenet100", "--root", root, "--out", out, ...half);
  assertEquals(again.code, 0, again.err);
  assertEquals((await readFrom(out, readNpz)).get("prior"), prior.get("prior"));
  await Deno.remove(folder, { recursive: true });
});

Deno.test("make_features.ts runs a vision transformer's weights, under a prefix too", async () => {
  const folder = await Deno.makeTempDir();
  await using device = await Device.open();
  const model = new Vit({ dim: 8, depth: 1, heads: 1, patchSize: 8, imageSize: 16 }, { numClasses: 4, device });
  const weights = new Map([...await readState(model)].map(([name, value]) => [`net.a.${name}`, value]));
  for (const [name, value] of [...weights]) weights.set(name.replace("net.a", "net.b"), value);
  const file = join(folder, "vit.pth");
  await Deno.writeFile(file, await writeTorch({ state_dict: weights }));
  model.dispose();
  const [root, out] = [join(folder, "photos"), join(folder, "out.npz")];
  const shared = ["--demo", "--encoder", file, "--heads", "1", "--workers", "1", "--root", root, "--out", out];
  const { code, err } = await run("make_features", ...shared, "--prefix", "net.b");
  assertEquals(code, 0, err);
  assertEquals((await readFrom(out, readNpz)).get("prior")?.shape, [36, 8]);
  await Deno.remove(folder, { recursive: true });
});

Deno.test("the programs that make features say what is missing", async () => {
  const [gloria, onnx, mean, std, layout, pool] = await Promise.all([
    run("make_gloria_features"),
    run("make_bigbigan_features", "--encoder", "absent.onnx", "--root", "absent"),
    run("make_features", "--encoder", "absent.onnx", "--mean", "1,2"),
    run("make_features", "--encoder", "absent.onnx", "--std", "1,0,-1"),
    run("make_features", "--encoder", "absent.pth", "--layout", "nhwc"),
    run("make_features", "--encoder", "absent.onnx", "--pool", "mean"),
  ]);
  assertEquals(
    [gloria.code, gloria.err],
    [2, "error: Cannot run without --checkpoint: give a file (--help tells which)\n"],
  );
  assertEquals(onnx.code, 1);
  assert(onnx.err.startsWith("error: ") && onnx.err.includes("absent"), onnx.err);
  assertEquals([mean.code, mean.err], [
    2,
    'error: Cannot read --mean as it must be three numbers with commas: got "1,2"\n',
  ]);
  for (
    const [{ code, err }, message] of [
      [std, 'read --std as it must be three numbers > 0 with commas: got "1,0,-1"'],
      [layout, 'use --layout with "absent.pth" as it is of a graph, a .onnx file'],
      [pool, 'use --pool with "absent.onnx" as it is of weights, and a .onnx file is a graph'],
    ] as const
  ) assertEquals([code, err], [2, `error: Cannot ${message}\n`]);
});
