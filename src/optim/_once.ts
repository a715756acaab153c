import type { Tensor } from "../tensor/mod.ts";

/**
 * Checks that no tensor comes twice in a list: it would be updated, or counted, twice.
 *
 * @throws {TypeError} If one does.
 */
export function checkOnce(verb: string, parameters: readonly Tensor[]): void {
  const seen = new Set<unknown>();
  const twice = parameters.findIndex(({ storage }) => seen.size === seen.add(storage).size);
  if (twice < 0) return;
  throw new TypeError(`Cannot ${verb} a tensor twice: got parameter ${twice} [${parameters[twice]!.shape}] before`);
}
