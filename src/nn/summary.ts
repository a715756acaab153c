import { noGrad } from "../autograd/mod.ts";
import { scope, type Shape, zeros } from "../tensor/mod.ts";
import { Conv2d } from "./conv2d.ts";
import { Linear } from "./linear.ts";
import type { Module } from "./module.ts";

/** One module in a {@linkcode Summary}. */
export interface SummaryRow {
  /** Full name of the module, such as `layer1.0.conv1`; `""` is the whole. */
  readonly name: string;
  /** Class of the module. */
  readonly type: string;
  /** Shape of its last output. */
  readonly output: Shape;
  /** Numbers in its own parameters, without those of modules below it. */
  readonly parameters: number;
  /** Floating-point operations of its convolution or product, a multiply-add counted as two; 0 for others. */
  readonly flop: number;
}

/** Result of {@linkcode summary}; as a text, a table. */
export interface Summary {
  /** The modules that ran, in the order in which they first gave an output; the whole comes last. */
  readonly rows: readonly SummaryRow[];
  /** Numbers in all parameters. */
  readonly parameters: number;
  /** Floating-point operations of all convolutions and linear layers. */
  readonly flop: number;
  /** Bytes on the device at the peak of the pass, parameters not counted. */
  readonly peakBytes: number;
  /** The table. */
  toString(): string;
}

/**
 * Layers, output shapes, parameters, operations and memory of one forward pass in evaluation, as torchinfo's `summary`. The
 * GPU does no work for it.
 *
 * @param module Any module.
 * @param shape Shape of the input, f32.
 * @throws {DeviceError} If the pass would exceed what the adapter binds at once.
 *
 * @example Usage
 * ```ts
 * import { Device } from "@decoupled/uniformity";
 * import { resnet18, summary } from "@decoupled/uniformity/nn";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const { rows, parameters, flop } = summary(resnet18({ numClasses: 1000 }), [1, 224, 224, 3]);
 * assertEquals(rows.find(({ name }) => name === "layer4")?.output, [1, 7, 7, 512]);
 * assertEquals(parameters, 11_689_512); // torchvision's
 * assertEquals(Math.round(flop / 1e7), 363); // 3.63 GFLOP: 1.81 billion multiply-adds
 * ```
 */
export function summary(module: Module, shape: Shape): Summary {
  const modules = new Map([...module.namedModules()].map(([name, each]) => [each, name]));
  const rows = new Map<Module, SummaryRow>();
  const training = [...modules.keys()].map((each) => [each, each.training] as const);
  const unwatch = [...modules].map(([each, name]) =>
    each.registerForwardHook((_, __, output) => void rows.set(each, rowOf(each, name, output.shape)))
  );
  const device = module.parameters()[0]?.device;
  let peakBytes = 0;
  try {
    module.eval();
    const pass = () => {
      using _ = scope();
      noGrad(() => module.forward(zeros(shape, { device })));
    };
    if (device) peakBytes = device.rehearse(pass).peak;
    else pass();
  } finally {
    for (const remove of unwatch) remove();
    for (const [each, mode] of training) each.training = mode;
  }
  return summaryOf([...rows.values()], module, peakBytes);
}

function rowOf(module: Module, name: string, output: Shape): SummaryRow {
  const below = new Set([...module.namedModules()].slice(1).flatMap(([, each]) => each.parameters()));
  const own = module.parameters().filter((parameter) => !below.has(parameter));
  const parameters = own.reduce((sum, { size }) => sum + size, 0);
  return { name, type: module.constructor.name, output, parameters, flop: flopOf(module, output) };
}

function flopOf(module: Module, output: Shape): number {
  if (!(module instanceof Conv2d || module instanceof Linear)) return 0;
  const places = output.slice(0, -1).reduce((a, b) => a * b, 1);
  return 2 * places * module.weight.size;
}

function summaryOf(rows: readonly SummaryRow[], module: Module, peakBytes: number): Summary {
  const parameters = module.parameters().reduce((sum, { size }) => sum + size, 0);
  const flop = rows.reduce((sum, row) => sum + row.flop, 0);
  const table = () => {
    const count = (value: number) => value === 0 ? "" : value.toLocaleString("en");
    const lines = rows.map((row) => [
      row.name || "(whole)",
      row.type,
      `[${row.output.join(", ")}]`,
      count(row.parameters),
      row.flop === 0 ? "" : (row.flop / 1e6).toFixed(1),
    ]);
    const totals = `${count(parameters)} parameters (${(4 * parameters / 2 ** 20).toFixed(1)} MiB), ` +
      `${(flop / 1e9).toFixed(2)} GFLOP, ${(peakBytes / 2 ** 20).toFixed(1)} MiB at the peak`;
    return `${aligned([["name", "type", "output", "parameters", "MFLOP"], ...lines])}\n${totals}`;
  };
  return { rows, parameters, flop, peakBytes, toString: table };
}

/** Columns side by side: texts from the left, the two of numbers from the right. */
function aligned(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  return rows.map((row) =>
    row.map((cell, i) => i < 3 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)).join("  ").trimEnd()
  ).join("\n");
}
