import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { JupyterKernel } from "./_kernel.ts";

const EXAMPLES = fromFileUrl(new URL("../../examples", import.meta.url));

/** The code cells of the notebook. */
async function cells(): Promise<string[]> {
  const notebook = JSON.parse(await Deno.readTextFile(join(EXAMPLES, "notebook.ipynb")));
  const code = notebook.cells.filter(({ cell_type: type }: { cell_type: string }) => type === "code");
  return code.map(({ source }: { source: string[] }) => source.join(""));
}

Deno.test("the notebook runs in Deno's Jupyter kernel: it shows kernels as pictures and the loss as it goes", async () => {
  await using kernel = await JupyterKernel.start(EXAMPLES);
  const shown: string[] = [];
  const texts: string[] = [];
  for (const code of await cells()) {
    const { status, outputs } = await kernel.execute(code);
    assertEquals(status, "ok", JSON.stringify(outputs).slice(0, 1000));
    for (const { type, content } of outputs) {
      shown.push(`${type} ${Object.keys(content.data ?? {}).sort().join(" ")}`);
      const svg: string | undefined = content.data?.["image/svg+xml"];
      const text: string | undefined = content.data?.["text/plain"];
      if (text) texts.push(text);
      if (svg) assertMatch(svg, /^<svg .*<\/svg>$/);
    }
  }
  const count = (text: string) => shown.filter((each) => each === text).length;
  assertEquals(count("execute_result image/svg+xml"), 2, `${shown}`);
  assertEquals([count("display_data image/svg+xml"), count("update_display_data image/svg+xml")], [1, 11], `${shown}`);
  const tensors = texts.filter((text) => /^Tensor.*\n+\[\[/.test(text));
  assert(tensors.length > 0, `tensors show their elements: got ${texts}`);
  const { outputs } = await kernel.execute("losses.at(-1)! < losses[0]!");
  assertStringIncludes(outputs.at(-1)!.content.data!["text/plain"]!, "true");
  const wrong = await kernel.execute("throw new RangeError('told')");
  assertEquals([wrong.status, wrong.outputs.at(-1)!.type], ["error", "error"]);
});

Deno.test("the notebook is kept without outputs", async () => {
  const notebook = JSON.parse(await Deno.readTextFile(join(EXAMPLES, "notebook.ipynb")));
  for (const { outputs = [], execution_count: count = null } of notebook.cells) {
    assertEquals([outputs, count], [[], null]);
  }
});
