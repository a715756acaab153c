import { filesOf } from "./bundle.ts";

/** An import of modules of Node's, as bundles have it. */
const IMPORT = /import \{([^}]*)\} from "node:[\w/]+"/g;

/**
 * Lets the modules of a folder take from `module` what they import from Node. What that lacks is added to it as a function
 * that throws: tests import files of the library that read files, and do not call them.
 */
export async function withoutNode(folder: string, module: string): Promise<void> {
  const names = new Set<string>();
  for await (const file of filesOf(folder)) {
    if (!file.endsWith(".js")) continue;
    const code = await Deno.readTextFile(file);
    for (const [, list] of code.matchAll(IMPORT)) {
      for (const name of list!.split(",")) names.add(name.trim().split(" ")[0]!);
    }
    await Deno.writeTextFile(file, code.replaceAll(IMPORT, `import {$1} from "/${module}"`));
  }
  const own = await Deno.readTextFile(`${folder}/${module}`);
  const lacking = [...names].filter((name) => name && !new RegExp(`export (const|class) ${name}\\b`).test(own));
  const thrown = (name: string) =>
    `export function ${name}() {\n  throw new Error("Cannot use Node's ${name}() as this is a page");\n}`;
  await Deno.writeTextFile(`${folder}/${module}`, [own, ...lacking.map(thrown)].join("\n"));
}
