import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { html, imageMap, lineChart, page, table } from "../../src/report/mod.ts";

Deno.test("html escapes text and leaves markup made by html alone", () => {
  assertEquals(
    `${html`<p>${'<b> & "quotes"'}${html`<i>${1}</i>`}${[1, "<"]}${null}</p>`}`,
    "<p>&#60;b&#62; &#38; &#34;quotes&#34;<i>1</i>1&#60;</p>",
  );
});

Deno.test("table() makes the best of a column bold", () => {
  const markup = `${table(["a", "b"], [["x", 1], ["y", 3]], { columns: [1] })}`;
  assertStringIncludes(markup, '<td class="best">3</td>');
  assertStringIncludes(markup, "<td>1</td>");
  assertStringIncludes(
    `${table(["a", "b"], [["x", 1], ["y", 3]], { columns: [1], smallest: true })}`,
    '<td class="best">1</td>',
  );
});

Deno.test("page() is one file that asks for nothing over the network", async () => {
  const chart = await lineChart([{ name: "a < b", points: [{ x: 1, y: 2 }, { x: 2, y: NaN }, { x: 3, y: 1 }] }], {
    x: "epoch",
    y: "loss",
  });
  const map = await imageMap([{ x: 0, y: 0, src: "data:image/png;base64,AA==", title: "dot" }], { title: "Map" });
  const text = page("T <1>", "lead", [{ heading: "Loss", body: chart }, { heading: "Map", body: map }]);
  assertStringIncludes(text, "<title>T &#60;1&#62;</title>");
  assertStringIncludes(text, "a &#60; b");
  assert(!/(src|href)="(?!data:)/.test(text), "no outside source");
  assert(!text.includes("@import"));
  assertStringIncludes(text, "prefers-color-scheme: dark");
});

Deno.test("table() of many columns names each cell for narrow pages, and stays a table for readers of its roles", () => {
  const many = `${table(["a", "b", "c", "<d>"], [["x", 1, 2, 3]])}`;
  assertStringIncludes(many, '<td role="cell" data-label="&#60;d&#62;">3</td>');
  for (const role of ["table", "rowgroup", "row", "columnheader"]) assertStringIncludes(many, `role="${role}"`);
  assert(!`${table(["a", "b", "c"], [["x", 1, 2]])}`.includes("role="));
});

Deno.test("table() takes any number of rows", () => {
  const rows = Array.from({ length: 150_000 }, (_, i) => [`${i}`, (i * 7919) % 150_000]);
  const text = `${table(["a", "b"], rows, { columns: [1] })}`;
  assertEquals(text.split('class="best"').length, 2);
});
