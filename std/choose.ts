/**
 * Chooses where `@std` comes from: JSR, or what stands in for it on networks where JSR does not answer
 * (docs/portability.md, "Without JSR"). No setting of Deno's does, so `deno.json` maps `@std` to the modules beside this
 * one, which choose when they are imported.
 *
 * @module
 */

/** Set once JSR has not answered, so that a process and those it starts ask once; set it to `stand-in` to ask never. */
const VARIABLE = "UNIFORMITY_STD";
/** Longest time to wait for JSR, s. */
const LONGEST = 5;

class NoAnswer extends Error {}

/** What Deno says where JSR cannot be reached. Other errors, of a lock file say, are the caller's to see. */
function unreachable(error: unknown): boolean {
  return error instanceof NoAnswer ||
    /failed to load|Import '.*' failed|JSR package not found|Redirects in the JSR/.test(String(error));
}

/** False where tests run in Node and in browsers, with a part of Deno's interface. */
function inDeno(): boolean {
  return "Deno" in globalThis && "permissions" in Deno;
}

function variable(): boolean {
  return Deno.permissions.querySync({ name: "env", variable: VARIABLE }).state === "granted";
}

async function withinTime<T>(answer: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<T>();
  const timer = setTimeout(() => late.reject(new NoAnswer()), 1000 * LONGEST);
  try {
    return await Promise.race([answer, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}

async function ask<T>(specifier: string, standIn: () => Promise<T>): Promise<T> {
  if (!inDeno() || (variable() && Deno.env.get(VARIABLE) === "stand-in")) return await standIn();
  try {
    return await withinTime(import(specifier));
  } catch (error) {
    if (!unreachable(error)) throw error;
    if (variable()) Deno.env.set(VARIABLE, "stand-in");
    return await standIn();
  }
}

let last: Promise<unknown> = Promise.resolve();

/** Imports a module from JSR, and `standIn()` where JSR does not answer. One asks after the other. */
export function fromJsr<T>(specifier: string, standIn: () => Promise<T>): Promise<T> {
  const module = last.then(() => ask(specifier, standIn));
  last = module.catch(() => {});
  return module;
}
