/** A resource that a SPIR-V module binds. */
export interface Bound {
  /** Descriptor set. */
  readonly set: number;
  /** Number in the set. */
  readonly binding: number;
  /** Kind of the binding. */
  readonly kind: "uniform" | "storage";
}

/** Facts that a pipeline must know of a compute shader in SPIR-V. */
export interface SpirvModule {
  /** The entry point. */
  readonly entryPoint: string;
  /** Invocations of a workgroup. */
  readonly invocations: number;
  /** Resources of the shader. */
  readonly bound: readonly Bound[];
}

const OP = { entryPoint: 15, executionMode: 16, decorate: 71, variable: 59 } as const;
const DECORATION = { binding: 33, set: 34 } as const;
const LOCAL_SIZE = 17;
const COMPUTE = 5;
const STORAGE_CLASS: Readonly<Record<number, Bound["kind"]>> = { 2: "uniform", 12: "storage" };

/** Reads a module; null where it is no compute shader. */
export function readSpirv(words: Uint32Array): SpirvModule | null {
  const [sets, bindings, classes] = [new Map<number, number>(), new Map<number, number>(), new Map<number, number>()];
  let entryPoint: string | null = null;
  let invocations = 1;
  for (let i = 5; i < words.length;) {
    const [op, count] = [words[i]! & 0xffff, words[i]! >>> 16];
    const [first, second, third] = words.subarray(i + 1, i + 4);
    if (op === OP.entryPoint && first === COMPUTE) entryPoint = textAt(words, i + 3);
    if (op === OP.executionMode && second === LOCAL_SIZE) {
      invocations = words.subarray(i + 3, i + 6).reduce((a, b) => a * b, 1);
    }
    if (op === OP.decorate && second === DECORATION.binding) bindings.set(first!, third!);
    if (op === OP.decorate && second === DECORATION.set) sets.set(first!, third!);
    if (op === OP.variable) classes.set(second!, third!);
    if (count === 0) throw new SyntaxError(`Cannot read SPIR-V as word ${i} must begin an instruction: got length 0`);
    i += count;
  }
  if (entryPoint === null) return null;
  const bound = [...bindings].flatMap(([id, binding]) => {
    const kind = STORAGE_CLASS[classes.get(id) ?? -1];
    return kind ? [{ set: sets.get(id) ?? 0, binding, kind }] : [];
  });
  return { entryPoint, invocations, bound };
}

function textAt(words: Uint32Array, index: number): string {
  const bytes = new Uint8Array(words.buffer, words.byteOffset + 4 * index);
  return new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0)));
}
