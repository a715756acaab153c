// .ci/run with ./dev and deno replaced.
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { sources } from "./_sources.ts";

const RUN = fromFileUrl(new URL("../.ci/run", import.meta.url));

/** Output and status of the fakes: `dev` for the suite, `doc` for the examples, `lint` for one of the gates. */
interface Fakes {
  dev: string;
  doc?: string;
  lint?: string;
  /** For the suites of other runtimes and limits. */
  other?: string;
}

async function run(
  { dev, doc = "echo 'ok | 2 passed | 0 failed (3ms)'", lint = "true", other = "echo 'ok | 0 passed | 0 failed'" }:
    Fakes,
) {
  const root = await Deno.makeTempDir();
  try {
    await Deno.mkdir(join(root, ".ci"));
    await Deno.mkdir(join(root, "bin"));
    await Deno.copyFile(RUN, join(root, ".ci/run"));
    const deno =
      `case "$*" in lint) ${lint} ;; "task test:doc") ${doc} ;; *runtimes.ts*|*tests/page*|*--preload*) ${other} ;; esac`;
    const installed = {
      "bin/mpirun.openmpi": "true",
      "bin/mpiexec.hydra": "true",
      "bin/spirv-cross": "true",
      "bin/chromium": "true",
    };
    const scripts = { dev: `if [ "$1" = test ]; then ${dev}; fi`, "bin/deno": deno, ...installed };
    for (const [name, body] of Object.entries(scripts)) {
      await Deno.writeTextFile(join(root, name), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
    }
    const { code, stdout } = await new Deno.Command("bash", {
      args: [join(root, ".ci/run")],
      env: { PATH: `${join(root, "bin")}:${Deno.env.get("PATH")}` },
    }).output();
    const text = new TextDecoder().decode(stdout);
    return { code, text, last: text.trimEnd().split("\n").at(-1) };
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ignore: Deno.build.os === "windows", fn });
}

test(".ci/run adds the tests and the examples in the docs", async () => {
  const { code, last } = await run({ dev: "echo 'ok | 10 passed | 0 failed (5ms)'" });
  assertEquals([code, last], [0, "12 passed, 0 failed"]);
});

test(".ci/run adds the tests in Node, in Chromium, of the page and at lower limits", async () => {
  const other = "echo 'ok | 3 passed | 1 failed | 2 ignored (9s)'; exit 1";
  const { code, last } = await run({ dev: "echo 'ok | 10 passed | 0 failed (5ms)'", other });
  assertEquals([code, last], [1, "27 passed, 5 failed"]);
});

test(".ci/run reads colours, steps, ignored and filtered tests", async () => {
  const summary =
    "\\033[0m\\033[32mok\\033[0m | 7 passed (3 steps) | 0 failed | 1 ignored (2 steps) | 5 filtered out (9ms)";
  const { code, last } = await run({ dev: `echo 'ok | 99 passed' ; printf '${summary}\\n\\n'` });
  assertEquals([code, last], [0, "9 passed, 0 failed"]);
});

test(".ci/run fails on a failed test", async () => {
  const { code, last } = await run({ dev: "echo 'FAILED | 8 passed | 2 failed (1 step) (5ms)'; exit 1" });
  assertEquals([code, last], [1, "10 passed, 2 failed"]);
});

test(".ci/run fails when the tests end without a summary", async () => {
  const { code, last, text } = await run({ dev: "echo 'error: Type checking failed.'; exit 1" });
  assertEquals([code, last], [1, "2 passed, 1 failed"]);
  assertStringIncludes(text, "ci: tests ended without a clean summary (status 1)");
});

test(".ci/run fails when a clean summary comes with a failure status", async () => {
  const { code, last } = await run({ dev: "echo 'ok | 8 passed | 0 failed (5ms)'; exit 3" });
  assertEquals([code, last], [1, "10 passed, 1 failed"]);
});

test(".ci/run tells of a crash after a clean summary, and counts the tests", async () => {
  const { code, last, text } = await run({ dev: "echo 'ok | 8 passed | 0 failed (5ms)'; exit 134" });
  assertEquals([code, last], [0, "10 passed, 0 failed"]);
  assert(text.includes("crashed as it ended (status 134)"));
});

test(".ci/run fails on a crash before the summary", async () => {
  const { code, last } = await run({ dev: "echo 'a test ... ok'; exit 139" });
  assertEquals([code, last], [1, "2 passed, 1 failed"]);
});

test(".ci/run tells of a crash before the summary, and runs the tests once more", async () => {
  const dev = "if [ -e crashed ]; then echo 'ok | 8 passed | 0 failed (5ms)'; else touch crashed; exit 139; fi";
  const { code, last, text } = await run({ dev });
  assertEquals([code, last], [0, "10 passed, 0 failed"]);
  assertStringIncludes(text, "ci: tests crashed (status 139): once more\n");
});

test(".ci/run fails when no test ran", async () => {
  const none = "echo 'ok | 0 passed | 0 failed (0ms)'";
  const { code, last } = await run({ dev: none, doc: none });
  assertEquals([code, last], [1, "0 passed, 0 failed"]);
});

test(".ci/run fails on a failed gate and goes on", async () => {
  const { code, last, text } = await run({ dev: "echo 'ok | 10 passed | 0 failed (5ms)'", lint: "exit 1" });
  assertEquals([code, last], [1, "12 passed, 1 failed"]);
  assert(text.includes("ci: lint failed") && text.includes("ci: types\n"));
});

Deno.test("every npm package has an exact version, whose checksum deno.lock has, and CI refuses another lock", async () => {
  const root = new URL("../", import.meta.url);
  const read = (path: string) => Deno.readTextFile(new URL(path, root));
  const { specifiers, npm }: { specifiers: Record<string, string>; npm: Record<string, { integrity: string }> } = JSON
    .parse(await read("deno.lock"));
  const files: (readonly [string, string])[] = [["deno.json", await read("deno.json")]];
  for (const folder of ["src", "examples", "scripts", "bench", "page", "std"]) files.push(...await sources(folder));
  let found = 0;
  for (const [path, text] of files) {
    for (const [specifier] of text.matchAll(/\bnpm:(@[\w-]+\/)?[\w-]+@[^"'`\s/]+/g)) {
      if (specifier.includes("$")) continue; // emoji: the versions are in the lock
      assertMatch(specifier, /@\d+\.\d+\.\d+$/, path);
      assert(
        npm[specifiers[specifier]?.replace(/^/, `${specifier.slice(4).replace(/@[^@]*$/, "")}@`) ?? ""]?.integrity,
        specifier,
      );
      found++;
    }
  }
  assert(found >= 12, `only ${found} packages`);
  assertMatch(await Deno.readTextFile(RUN), /deno install --frozen[^]*deno check --frozen/);
  assertMatch(await read("dev"), /^pinned_deno=\d+\.\d+\.\d+ /m);
});
