/**
 * Chooses where `@std` comes from: JSR, or what stands in for it on networks where JSR does not answer
 * (docs/portability.md, "Without JSR"). No setting of Deno's does, so `deno.json` maps `@std` to the modules beside this
 * one, which choose when they are imported.
 *
 * @module
 */

/** `jsr` or `stand-in`: what a process found, so that those it starts need not ask; or what a person wants. */
const VARIABLE = "UNIFORMITY_STD";
/** Longest time to wait for JSR, ms. */
const LONGEST = 5000;

/** Tests run in Node and in browsers too, with a part of Deno's interface. */
const inDeno = "Deno" in globalThis && "permissions" in Deno && !Deno.build.standalone;

function granted(permission: Deno.PermissionDescriptor): boolean {
  return Deno.permissions.querySync(permission).state === "granted";
}

/**
 * Asks for a module in a process of its own, which can be ended when nothing comes: an import cannot, and all that come
 * after wait for it.
 */
async function answers(specifier: string): Promise<boolean> {
  const args = ["cache", "--quiet", "--no-config", "--no-lock", specifier];
  const child = new Deno.Command(Deno.execPath(), { args, stdin: "null", stdout: "null", stderr: "null" }).spawn();
  const timer = setTimeout(() => child.kill("SIGKILL"), LONGEST);
  const { success } = await child.status;
  clearTimeout(timer);
  return success;
}

async function ask<T>(specifier: string, standIn: () => Promise<T>): Promise<T> {
  const remembers = inDeno && granted({ name: "env", variable: VARIABLE });
  const known = remembers ? Deno.env.get(VARIABLE) : undefined;
  if (!inDeno || known === "stand-in") return await standIn();
  const mayStart = known !== "jsr" && granted({ name: "run" }) && granted({ name: "read" });
  const found = !mayStart || await answers(specifier);
  if (mayStart && remembers) Deno.env.set(VARIABLE, found ? "jsr" : "stand-in");
  if (!found) return await standIn();
  try {
    return await import(specifier);
  } catch (error) {
    // What Deno says where JSR cannot be reached. Other errors, of a lock file say, are the caller's to see.
    if (!/failed to load|Import '.*' failed|JSR package not found|Redirects in the JSR/.test(String(error))) {
      throw error;
    }
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
