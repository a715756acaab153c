import { environment } from "./environment.ts";
import { DeviceError, type DeviceErrorDetails } from "./errors.ts";
import type { Failures } from "./failures.ts";
import { type Access, type Constants, isEmpty, type Program, sourceOf } from "./program.ts";
import { RecentMap } from "./recent_map.ts";
import { TEXTURE_FORMAT } from "./usage.ts";
import type { Bindings } from "./dispatch.ts";

/** Parts of which every device of the adapter makes the same pipeline: plain data, since they are posted to Workers. */
export interface PipelinePlan {
  /** Program. */
  readonly program: Program;
  /** The bindings that are bound, in ascending order. */
  readonly bound: readonly number[];
  /** Values of the program's `override` constants. */
  readonly constants: Constants;
}

/** A compiled program and the layout of its bind group. */
export interface Pipeline extends PipelinePlan {
  readonly id: number;
  readonly label: string;
  /** Key of the pipeline: the content of its program, bindings and constants; equal keys compute the same. */
  readonly key: string;
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
  readonly hasParams: boolean;
  /** Bindings that the program writes. */
  readonly writes: readonly number[];
  /** Bindings that it reads through a texture. */
  readonly textures: readonly number[];
}

/** Receiver of errors of compilation: they arrive later than the call that made them. */
export interface Reporting {
  /** Describes what is running now. */
  details(): DeviceErrorDetails;
  /** Takes errors, and what to await before results are trusted. */
  readonly failures: Pick<Failures, "fail" | "watch" | "scoped">;
}

/** A program that was dispatched. */
interface Seen {
  /** Number of its content. */
  readonly content: number;
  /** Bindings that it declares. */
  readonly declared: readonly number[];
  /** The pipeline found last, and for what: most programs have one only. */
  readonly last: { readonly which: number; readonly constants: Constants; readonly pipeline: Pipeline } | null;
}

/** Pipelines and shader modules that are kept: several times those of the largest networks. */
const PIPELINES = 512;

/**
 * Compiles each (content of a program, bindings, constants) once, and again where many others were used since. A program
 * object is read once: the source of one that was seen is not looked at again.
 */
export class PipelineCache {
  /** Device that compiles. */
  readonly gpu: GPUDevice;
  #reporting: Reporting;
  /** Facts that are known of each program object. */
  #seen = new WeakMap<Program, Seen>();
  /** Number of each content: equal programs have one. */
  #contents = new RecentMap<number>(PIPELINES);
  #pipelines = new RecentMap<Pipeline>(PIPELINES);
  #modules = new RecentMap<GPUShaderModule>(PIPELINES);
  #nextContent = 0;
  #created = 0;
  #holds = false;
  #directives: string;

  /** Compiles for a device; errors arrive later, through `reporting`, and `directives` go before every shader. */
  constructor(gpu: GPUDevice, reporting: Reporting, directives: string) {
    this.#directives = directives;
    this.gpu = gpu;
    this.#reporting = reporting;
  }

  /** Pipelines compiled so far. */
  get created(): number {
    return this.#created;
  }

  /** The pipeline of a program with what is bound and constants. */
  get(program: Program, bound: Bindings, constants: Constants | undefined): Pipeline {
    const seen = this.#seen.get(program) ?? this.#see(program);
    const { content, declared, last } = seen;
    let which = 0; // a bit for each binding
    for (let i = 0; i < declared.length; i++) if (bound[declared[i]!]) which |= 1 << i;
    if (last && last.which === which && sameValues(last.constants, constants)) return last.pipeline;
    let key = `${content} ${which}`;
    if (constants) { for (const name in constants) key += `;${name}=${constants[name]}`; }
    let pipeline = this.#pipelines.get(key);
    if (!pipeline) this.#pipelines.set(key, pipeline = this.#compile(program, key, bound, constants));
    this.#seen.set(program, { content, declared, last: { which, constants: { ...constants }, pipeline } });
    return pipeline;
  }

  /** The number of a program that was not seen yet: that of another with the same content, or a new one. */
  #see(program: Program): Seen {
    const { name, entryPoint, params, access } = program;
    const content = `${JSON.stringify([name, entryPoint, params, access])}\n${sourceOf(program)}`;
    let number = this.#contents.get(content);
    if (number === undefined) this.#contents.set(content, number = this.#nextContent++);
    return { content: number, declared: Object.keys(access).map(Number), last: null };
  }

  #compile(program: Program, key: string, bound: Bindings, constants: Constants = {}): Pipeline {
    const code = this.#directives + sourceOf(program);
    const label = `${program.name}.${program.entryPoint}`;
    dump(label, code, constants);
    const storages = Object.keys(bound).map(Number).filter((binding) => bound[binding]);
    const entries = layoutEntries(program, storages);
    const values = checkConstants(label, code, constants);
    const details = { ...this.#reporting.details(), shader: label };
    const made = this.#reporting.failures.scoped("validation", () => {
      const layout = this.gpu.createBindGroupLayout({ label, entries });
      const pipeline = this.gpu.createComputePipeline({
        label,
        layout: this.gpu.createPipelineLayout({ label, bindGroupLayouts: [layout] }),
        compute: { module: this.#moduleOf(label, code), entryPoint: program.entryPoint, constants: values },
      });
      return { layout, pipeline };
    }, (error) => {
      this.#forget(key);
      return this.#report(error, code, details, constants);
    });
    const those = (access: Access) => storages.filter((binding) => program.access[binding] === access);
    const [writes, textures] = [those("read_write"), those("texture")];
    const id = ++this.#created;
    const plan = { program, bound: storages, constants };
    return { id, label, key, ...made, ...plan, hasParams: !isEmpty(program.params), writes, textures };
  }

  /** Whether what was recorded waits to be compiled. */
  get holds(): boolean {
    return this.#holds;
  }

  /** Runs `body`; what it records is not submitted by a mere `Device.flush()`, so that it can be compiled before it runs. */
  async hold(body: () => Promise<void>): Promise<void> {
    this.#holds = true;
    try {
      await body();
    } finally {
      this.#holds = false;
    }
  }

  /** Pipelines that were made and are kept. */
  get made(): Pipeline[] {
    return [...new Set(this.#pipelines.values())];
  }

  #moduleOf(label: string, code: string): GPUShaderModule {
    let module = this.#modules.get(code);
    if (!module) this.#modules.set(code, module = this.gpu.createShaderModule({ label, code }));
    return module;
  }

  /** Forgets what does not compile: the next dispatch compiles it again, and so tells its cause again. */
  #forget(key: string): void {
    this.#pipelines.delete(key);
    this.#seen = new WeakMap();
  }

  async #report(error: GPUError, code: string, details: DeviceErrorDetails, constants: Constants): Promise<void> {
    const messages = (await this.#modules.get(code)?.getCompilationInfo())?.messages ?? [];
    const lines = messages.map((m) => `line ${m.lineNum}: ${m.message}`).join("\n");
    const given = Object.entries(constants).map(([name, value]) => `${name} = ${value}`).join(", ");
    this.#reporting.failures.fail(
      new DeviceError(`Cannot compile a shader${given && ` with ${given}`}: ${lines || error.message}`, details),
    );
  }
}

/** The values of `override` constants as numbers: WebGPU would cut 1.5 to 1 where the constant is an integer. */
function checkConstants(label: string, code: string, constants: Constants): Record<string, number> {
  const values: Record<string, number> = {};
  for (const name in constants) {
    const value = Number(constants[name]);
    const type = new RegExp(`\\boverride\\s+${name}\\s*:\\s*([ui]32)\\b`).exec(code)?.[1];
    if (!Number.isFinite(value) || type && !Number.isInteger(value)) {
      const rule = type ? `an integer (${type})` : "a finite number";
      throw new RangeError(`Cannot dispatch ${label} as constant "${name}" must be ${rule}: got ${constants[name]}`);
    }
    values[name] = value;
  }
  return values;
}

function sameValues(a: Constants, b: Constants = {}): boolean {
  for (const name in a) if (a[name] !== b[name]) return false;
  for (const name in b) if (!(name in a)) return false;
  return true;
}

function layoutEntries(program: Program, storages: readonly number[]): GPUBindGroupLayoutEntry[] {
  const entries: GPUBindGroupLayoutEntry[] = [];
  if (!isEmpty(program.params)) {
    entries.push({ binding: 0, visibility: 4, buffer: { type: "uniform", hasDynamicOffset: true } });
  }
  for (const binding of storages) {
    const declared = program.access[binding];
    if (!declared) {
      throw new TypeError(`Cannot dispatch ${program.name} as its source declares no storage binding ${binding}`);
    }
    if (declared === "texture") {
      entries.push({ binding, visibility: 4, storageTexture: { access: "read-only", format: TEXTURE_FORMAT } });
      continue;
    }
    const type = declared === "read" ? "read-only-storage" : "storage";
    entries.push({ binding, visibility: 4, buffer: { type } });
  }
  return entries;
}

/** Prints the joined source where `DUMP_SHADERS` is a part of its name, or `1`. */
function dump(label: string, code: string, constants: Constants): void {
  const wanted = environment("DUMP_SHADERS");
  if (!wanted || (wanted !== "1" && !label.includes(wanted))) return;
  console.error(`// ---- ${label} ${JSON.stringify(constants)}\n${code}\n// ---- end of ${label}`);
}
