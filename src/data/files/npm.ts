/** A data file of an npm package, through Deno's own npm cache (or `node_modules`, where the user's project has one). */
export interface NpmAsset {
  /** Package and version, such as `emojilib@4.0.3`. */
  spec: string;
  /** A JSON file of the package: what is imported. */
  json: string;
}

/**
 * Imports a JSON file of an npm package, fetching the package on first use.
 *
 * The specifier is built at run time so that merely importing this module fetches nothing.
 *
 * @throws {Deno.errors.NotFound} If the package is neither cached nor reachable.
 */
export async function importNpmJson(asset: NpmAsset): Promise<unknown> {
  const specifier = `npm:${asset.spec}/${asset.json}`;
  try {
    const module: { default: unknown } = await import(specifier, { with: { type: "json" } });
    return module.default;
  } catch (cause) {
    throw new Deno.errors.NotFound(
      `Cannot load npm package "${asset.spec}" as it is neither in Deno's cache nor reachable: ` +
        `run "deno cache ${specifier}" once where the npm registry can be reached`,
      { cause },
    );
  }
}

/**
 * Reads a file of an npm package. The package is imported first, which places it in the cache.
 *
 * @param asset The package, and any JSON file of it.
 * @param path The file inside the package.
 * @throws {Deno.errors.NotFound} If the package or the file is absent.
 */
export async function readNpmFile(asset: NpmAsset, path: string): Promise<Uint8Array<ArrayBuffer>> {
  await importNpmJson(asset);
  const json = import.meta.resolve(`npm:${asset.spec}/${asset.json}`);
  if (!json.startsWith("file:") || !json.endsWith(`/${asset.json}`)) {
    throw new Deno.errors.NotFound(`Cannot read "${path}" of npm package "${asset.spec}": it resolves to "${json}"`);
  }
  return await Deno.readFile(new URL(json.slice(0, -asset.json.length) + path));
}
