import { assertEquals } from "@std/assert";
import { formatDuration, formatLine, ProgressDisplay } from "../../src/cli/mod.ts";

const state = (done: number) => ({ label: "run", done, values: [["loss", "-1.5"]] as const });

Deno.test("formatDuration() is short", () => {
  assertEquals([7.4, 125, 3 * 3600 + 240, NaN].map(formatDuration), ["7 s", "2 min 05 s", "3 h 04 min", "?"]);
});

Deno.test("formatLine() has a bar in a terminal only", () => {
  assertEquals(formatLine(state(0.25), 30, false), "run  25 %  loss -1.5  30 s left");
  assertEquals(formatLine(state(0.25), 30, true), "run █████░░░░░░░░░░░░░░░  25 %  loss -1.5  30 s left");
});

Deno.test("ProgressDisplay writes plain lines, not too many, and always the last", () => {
  let text = "";
  const display = new ProgressDisplay({ terminal: false, write: (s) => text += s, interval: 1e6 });
  for (const done of [0.1, 0.2, 0.5, 1]) display.update(state(done));
  display.print("end");
  assertEquals(text.split("\n").map((line) => line.slice(0, 10)), ["run  10 % ", "run  100 %", "end", ""]);
});

Deno.test("ProgressDisplay redraws one line in a terminal", () => {
  let text = "";
  const display = new ProgressDisplay({ terminal: true, write: (s) => text += s, interval: 0 });
  display.update(state(0.5));
  display.update(state(1));
  display.print("end");
  assertEquals(text.split("\r\x1b[2K").length, 3);
  assertEquals(text.endsWith("0 s left\nend\n"), true);
});

Deno.test("ProgressDisplay prints no command to the terminal that a name of a file holds", () => {
  const written: string[] = [];
  const display = new ProgressDisplay({ terminal: true, write: (text) => void written.push(text) });
  display.update({ label: "decode \x1b[2J\x9b", done: 1, values: [["file", "a\rb"]] });
  display.print('"\x1b]0;title\x07.jpg" is left out\nand more');
  assertEquals(written[0]!.startsWith("\r\x1b[2Kdecode \\x1b[2J\\x9b "), true, "its own commands stay");
  assertEquals(written[0]!.includes("file a\\x0db"), true);
  assertEquals(written[1], '\n"\\x1b]0;title\\x07.jpg" is left out\nand more\n');
});
