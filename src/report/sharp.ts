/**
 * Loads npm's `sharp`, which decodes and encodes images, when the first image is at hand.
 *
 * @throws {Deno.errors.NotFound} If it is absent, or may not be loaded; the message says what to do.
 */
export async function loadSharp(): Promise<typeof import("sharp").default> {
  try {
    return (await import("sharp")).default;
  } catch (cause) {
    throw new Deno.errors.NotFound(
      `Cannot load npm package "sharp", which decodes and encodes images: ${adviceOn(`${cause}`)}`,
      { cause },
    );
  }
}

/** Advice in an error of many lines, one of which may name a permission. */
function adviceOn(text: string): string {
  const [denied] = /Requires \w+ access.*/.exec(text) ?? [];
  if (denied) return denied;
  const [reason = ""] = text.replace(/^\w*Error: /, "").split("\nPossible solutions");
  return `${
    reason.replace(/\s*\n\s*/g, ": ")
  }; run "deno cache npm:sharp@0.35.5" once where the npm registry can be reached`;
}
