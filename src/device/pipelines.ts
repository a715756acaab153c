import { environment } from "./environment.ts";
import { DeviceError, type DeviceErrorDetails } from "./errors.ts";
import { accessOf, checkParams, type Program, sourceOf } from "./program.ts";
import { RecentMap } from "./recent_map.ts";
import type { Bindings } from "./bindings.ts";

/** Values for a program's `override` constants. */
export type Constants = Readonly<Record<string, number | boolean>>;

/** A compiled program and the layout of its bind group. */
export interface Pipeline {
  readonly id: number;
  readonly label: string;
  /** What tells it from other pipelines of its program: bindings and constants. */
  readonly variant: string;
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
  readonly hasParams: boolean;
  /** The bindings that the program writes. */
  readonly writes: ReadonlySet<number>;
}

/** Where errors of compilation go: they arrive later than the call that made them. */
export interface Reporting {
  /** What is running now. */
  details(): DeviceErrorDetails;
  /** Takes an error. */
  fail(error: DeviceError): void;
  /** Is told what to await before trusting results. */
  wait(check: Promise<void>): void;
}

/** Pipelines and shader modules that are kept: several times those of the largest networks. */
const PIPELINES = 512;

/** Compiles each (program, bindings, constants) once, and again where many others were used since. */
export class PipelineCache {
  #gpu: GPUDevice;
  #reporting: Reporting;
  #programs = new WeakMap<Program, number>();
  #pipelines = new RecentMap<Pipeline>(PIPELINES);
  #modules = new RecentMap<GPUShaderModule>(PIPELINES);
  #nextProgram = 0;
  #created = 0;
  #directives: string;

  /** Errors arrive later, through `reporting`; `directives` go before every shader. */
  constructor(gpu: GPUDevice, reporting: Reporting, directives: string) {
    this.#directives = directives;
    this.#gpu = gpu;
    this.#reporting = reporting;
  }

  /** Pipelines compiled so far. */
  get created(): number {
    return this.#created;
  }

  /** The pipeline of a program with what is bound and constants. */
  get(program: Program, bound: Bindings, constants: Constants | undefined): Pipeline {
    let id = this.#programs.get(program);
    if (id === undefined) this.#programs.set(program, id = this.#nextProgram++);
    let which = 0; // a bit for each binding
    for (const binding in bound) if (bound[binding]) which += 2 ** Number(binding);
    let variant = `${which}`;
    if (constants) { for (const name in constants) variant += `;${name}=${constants[name]}`; }
    const key = `${id} ${variant}`;
    let pipeline = this.#pipelines.get(key);
    if (!pipeline) this.#pipelines.set(key, pipeline = this.#compile(program, variant, bound, constants));
    return pipeline;
  }

  #compile(program: Program, variant: string, bound: Bindings, constants: Constants = {}): Pipeline {
    checkParams(program);
    const code = this.#directives + sourceOf(program);
    const label = `${program.name}.${program.entryPoint}`;
    dump(label, code, constants);
    this.#gpu.pushErrorScope("validation");
    let module = this.#modules.get(code);
    if (!module) this.#modules.set(code, module = this.#gpu.createShaderModule({ label, code }));
    const entries = layoutEntries(program, bound);
    const layout = this.#gpu.createBindGroupLayout({ label, entries });
    const values: Record<string, number> = {};
    for (const name in constants) values[name] = Number(constants[name]);
    const pipeline = this.#gpu.createComputePipeline({
      label,
      layout: this.#gpu.createPipelineLayout({ label, bindGroupLayouts: [layout] }),
      compute: { module, entryPoint: program.entryPoint, constants: values },
    });
    const details = { ...this.#reporting.details(), shader: label };
    this.#reporting.wait(this.#report(this.#gpu.popErrorScope(), module, details, constants));
    const written = entries.filter(({ buffer }) => buffer?.type === "storage").map(({ binding }) => binding);
    const id = ++this.#created;
    return { id, label, variant, pipeline, layout, hasParams: hasParams(program), writes: new Set(written) };
  }

  async #report(
    scope: Promise<GPUError | null>,
    module: GPUShaderModule,
    details: DeviceErrorDetails,
    constants: Constants,
  ): Promise<void> {
    const error = await scope;
    if (!error) return;
    const { messages } = await module.getCompilationInfo();
    const lines = messages.map((m) => `line ${m.lineNum}: ${m.message}`).join("\n");
    const given = Object.entries(constants).map(([name, value]) => `${name} = ${value}`).join(", ");
    this.#reporting.fail(
      new DeviceError(`Cannot compile a shader${given && ` with ${given}`}: ${lines || error.message}`, details),
    );
  }
}

function hasParams(program: Program): boolean {
  for (const _ in program.params) return true;
  return false;
}

function layoutEntries(program: Program, bound: Bindings): GPUBindGroupLayoutEntry[] {
  const access = accessOf(program);
  const entries: GPUBindGroupLayoutEntry[] = [];
  if (hasParams(program)) {
    entries.push({ binding: 0, visibility: 4, buffer: { type: "uniform", hasDynamicOffset: true } });
  }
  for (const binding of Object.keys(bound).filter((binding) => bound[Number(binding)]).map(Number)) {
    const declared = access.get(binding);
    if (!declared) {
      throw new TypeError(`Cannot dispatch ${program.name} as its source declares no storage binding ${binding}`);
    }
    const type = declared === "read" ? "read-only-storage" : "storage";
    entries.push({ binding, visibility: 4, buffer: { type } });
  }
  return entries;
}

/** `DUMP_SHADERS=relu` (or `1` for all) prints the joined source. */
function dump(label: string, code: string, constants: Constants): void {
  const wanted = environment("DUMP_SHADERS");
  if (!wanted || (wanted !== "1" && !label.includes(wanted))) return;
  console.error(`// ---- ${label} ${JSON.stringify(constants)}\n${code}\n// ---- end of ${label}`);
}
