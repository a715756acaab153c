import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { entryPoints, withEntryPoints } from "../scripts/doc_html.ts";
import deno from "../deno.json" with { type: "json" };
import { withFolder } from "./data/_helpers.ts";

Deno.test("entryPoints() lists every export with what it is for", async () => {
  const points = await entryPoints();
  assertEquals(points.length, Object.keys(deno.exports).length);
  assertEquals(points[0]!.name, deno.name);
  const kernels = points.find(({ name }) => name === `${deno.name}/kernels`)!;
  assertEquals(kernels.page, "./kernels/index.html");
  assertStringIncludes(kernels.about, "Kernels: how alike a prior says that samples are");
  for (const { name, about } of points) assert(about.length > 20 && !/[*`{]|@\w/.test(about), `${name}: ${about}`);
});

Deno.test("withEntryPoints() puts the list below the module doc of a page that deno doc writes", async () => {
  await withFolder(async (folder) => {
    const file = new URL("../src/report/html.ts", import.meta.url).pathname;
    await Deno.writeTextFile(
      `${folder}/a.ts`,
      `/**\n * Words before.\n *\n * @module\n */\nexport * from "${file}";\n`,
    );
    const args = ["doc", "--html", "--name=x", `--output=${folder}/out`, `${folder}/a.ts`];
    const { code } = await new Deno.Command(Deno.execPath(), { args, stdout: "null", stderr: "null" }).output();
    assertEquals(code, 0);
    const page = await Deno.readTextFile(`${folder}/out/index.html`);
    const listed = withEntryPoints(page, [{ name: "x/y", page: "./y/index.html", about: "for <you>" }]);
    assertMatch(listed, /<a href="\.\/y\/index\.html">\s*<code>x\/y<\/code>\s*<\/a>[^]*for &#60;you&#62;/);
    assert(listed.indexOf("Words before") < listed.indexOf("Entry points"));
    assert(listed.indexOf("Entry points") < listed.indexOf("</main>"));
  });
  assertThrows(
    () => withEntryPoints("<html></html>", []),
    SyntaxError,
    "Cannot list the entry points as the page must end as those of deno doc: got another",
  );
});
