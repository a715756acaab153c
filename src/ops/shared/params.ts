// Values for many scalars of a shader's `Params` at once, under the names that the shader declares.

/** Bits of NaN, for which WGSL has no literal. */
export const NAN_BITS = 0x7fc00000;

/** A shader whose `Params` declare these names. */
interface Declaring<Name extends string> {
  readonly params: Readonly<Record<Name, string>>;
}

/** Zero for each scalar of a shader. */
export function zerosOf<Name extends string>({ params }: Declaring<Name>): Readonly<Record<Name, number>> {
  return Object.fromEntries(Object.keys(params).map((name) => [name, 0])) as Record<Name, number>;
}

/** Values for the scalars `name0`, `name1`, … that an array of a shader's `Params` is made of. */
export function arrayParams<Name extends string, Array extends string>(
  { params }: Declaring<Name>,
  name: Array,
  valueAt: (index: number) => number,
): Readonly<Record<Extract<Name, `${Array}${number}`>, number>> {
  const values: Record<string, number> = {};
  for (let i = 0; `${name}${i}` in params; i++) values[`${name}${i}`] = valueAt(i);
  return values as Record<Extract<Name, `${Array}${number}`>, number>;
}
