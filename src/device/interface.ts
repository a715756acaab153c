/** Interface that WGSL declares: the scalars of its struct `Params` in order, and how its storage bindings are accessed. */
export interface DeclaredInterface {
  /** Type of each scalar: u32, i32, f32 or an alias; `array<vec4, n>` is 4n scalars, `name0` and on. */
  readonly params: Record<string, string>;
  /** Access, `read` or `read_write`, or `texture`, by binding of group 0. */
  readonly access: Record<number, "read" | "read_write" | "texture">;
}

const STORAGE = /var<storage(?:,\s*(read_write|read))?>/.source;
const TEXTURE = /var\s+\w+\s*:\s*(texture)_storage_2d<rgba32float,\s*read>/.source;
const BINDING = new RegExp(`@group\\(0\\)\\s*@binding\\((\\d+)\\)\\s*(?:${STORAGE}|${TEXTURE})`, "g");

/**
 * Reads the interface of WGSL without comments.
 *
 * @param task What cannot be done otherwise, for the message.
 * @throws {TypeError} If `Params` holds anything else, or a binding is declared in two ways.
 */
export function declaredInterface(code: string, task: string): DeclaredInterface {
  const params: Record<string, string> = {};
  const fields = code.match(/\bstruct\s+Params\s*\{([^}]*)\}/)?.[1] ?? "";
  for (const field of fields.split(/,(?![^<]*>)/).map((field) => field.trim()).filter(Boolean)) {
    const [, key, type, lane, vectors] =
      field.match(/^(\w+)\s*:\s*(?:(u32|i32|f32|[A-Z]\w*)|array<vec4([ui]),\s*(\d+)>)$/) ?? [];
    if (key === undefined) {
      throw new TypeError(
        `Cannot ${task} as Params must hold u32, i32, f32, aliases and array<vec4, n> only: got "${field}"`,
      );
    }
    if (type !== undefined) params[key] = type;
    else for (let i = 0; i < 4 * Number(vectors); i++) params[`${key}${i}`] = `${lane}32`;
  }
  const access: DeclaredInterface["access"] = {};
  for (const [, number, storage, texture] of code.matchAll(BINDING)) {
    const binding = Number(number);
    const mode = texture ? "texture" : storage as "read" | "read_write" | undefined ?? "read";
    const other = access[binding] ?? mode;
    if (other !== mode) {
      throw new TypeError(`Cannot ${task} as binding ${binding} must be declared in one way: got ${other} and ${mode}`);
    }
    access[binding] = mode;
  }
  return { params, access };
}
