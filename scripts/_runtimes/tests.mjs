// What runs the library's own tests where there is no Deno: a small `Deno.test()`, and a line for each test. Plain
// JavaScript of web APIs, for Node and for Workers in a page.

/** Tests that the file at hand registers. */
let registered = [];

/**
 * What the library and a part of `Deno` say of that which only other runtimes have. A test that stops with it is skipped,
 * and its line says why.
 */
const LACKS = /\bthis runtime (?:has no|maps buffers only) .*/;

/** `Deno` with these parts alone. */
function partOfDeno(parts) {
  return new Proxy(parts, {
    get(_, key) {
      if (!(key in parts)) throw new Error(`this runtime has no Deno.${String(key)}`);
      return parts[key];
    },
  });
}

/** Gives the tests `Deno`: registering, and reading files of fixtures by `read(name)`. */
export function installDeno(read) {
  const fileOf = (url) => read(String(url).split("/").at(-1));
  const test = (first, second, third) => {
    const named = typeof first === "string"
      ? { name: first }
      : typeof first === "function"
      ? { name: first.name, fn: first }
      : first;
    const options = typeof second === "function" ? { fn: second } : { ...second, ...third && { fn: third } };
    registered.push({ ...named, ...options });
  };
  globalThis.Deno = partOfDeno({
    test: Object.assign(test, { ignore: (name, fn) => test({ name, fn, ignore: true }) }),
    readFileSync: fileOf,
    readTextFileSync: (url) => new TextDecoder().decode(fileOf(url)),
  });
}

/** Closes every device that tests left open. */
export function closeAll(Device) {
  for (;;) {
    try {
      Device.current.close();
    } catch {
      return;
    }
  }
}

/** What a test is given: steps run at once, and fail it. */
const context = (name) => ({
  name,
  async step(first, second) {
    const { name, fn, ignore } = typeof first === "string" ? { name: first, fn: second } : first;
    if (!ignore) await fn(context(name));
    return !ignore;
  },
});

/**
 * Imports test files one after the other, runs what each registers, and prints as `deno test` does.
 *
 * @param files Names and modules.
 * @param print Takes a line.
 * @param closeDevices Called after each file.
 * @param filter Text in the names of the tests to run, or `/a pattern/`; all by default.
 * @returns Whether all passed, and some ran.
 */
export async function runTests(files, print, closeDevices, filter = "") {
  const started = performance.now();
  const counts = { passed: 0, failed: 0, ignored: 0 };
  const fail = (name, error) => {
    const lacks = String(error?.message).match(LACKS);
    if (lacks) return skip(`${name} (skipped as ${lacks[0]})`);
    counts.failed++;
    print(`${name} ... FAILED\n    ${String(error?.stack ?? error).split("\n").slice(0, 12).join("\n    ")}`);
  };
  const skip = (name) => {
    counts.ignored++;
    print(`${name} ... ignored`);
  };
  const pattern = filter.match(/^\/(.*)\/$/);
  const wanted = ({ name }) => pattern ? new RegExp(pattern[1]).test(name) : name.includes(filter);
  const strays = [];
  const stray = (event) => strays.push(event.reason ?? event);
  if (globalThis.process?.on) process.on("unhandledRejection", stray);
  else addEventListener("unhandledrejection", stray);
  for (const { name: file, url } of files) {
    registered = [];
    const begun = performance.now();
    try {
      await import(url);
    } catch (error) {
      fail(`${file} cannot be loaded`, error);
    }
    for (const { name, fn, ignore } of registered.filter(wanted)) {
      if (ignore) {
        skip(name);
        continue;
      }
      const from = performance.now();
      try {
        await fn(context(name));
        counts.passed++;
        print(`${name} ... ok (${Math.round(performance.now() - from)}ms)`);
      } catch (error) {
        fail(`${file}: ${name}`, error);
      }
    }
    for (const error of strays.splice(0)) fail(`${file}: a promise that nobody awaited`, error);
    closeDevices();
    print(`${file}: ${registered.length} tests in ${Math.round(performance.now() - begun)}ms\n`);
  }
  const { passed, failed, ignored } = counts;
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  print(`\n${failed ? "FAILED" : "ok"} | ${passed} passed | ${failed} failed | ${ignored} ignored (${seconds}s)`);
  return failed === 0 && passed > 0;
}
