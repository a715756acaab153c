/**
 * Stand-in for `@std/testing/bdd` on networks without JSR: `describe()` and `it()` over `Deno.test()` and its steps.
 *
 * @module
 */

/** The body of a test or a hook. */
export type Body = (context: Deno.TestContext) => void | Promise<void>;
/** Registers a test. */
export type It = (name: string, fn: Body) => void;
/** Registers a suite. */
export type Describe = (name: string, fn: () => void) => void;

type Mode = "run" | "ignore" | "only";
type Hook = "beforeAll" | "afterAll" | "beforeEach" | "afterEach";

class Suite {
  readonly hooks: Record<Hook, Body[]> = { beforeAll: [], afterAll: [], beforeEach: [], afterEach: [] };
  readonly items: { name: string; mode: Mode; body: Body | Suite }[] = [];

  constructor(readonly parent?: Suite) {}

  /** Hooks that surround each test, outermost first. */
  around(hook: "beforeEach" | "afterEach"): Body[] {
    return [...this.parent?.around(hook) ?? [], ...this.hooks[hook]];
  }

  get hasOnly(): boolean {
    return this.items.some(({ mode, body }) => mode === "only" || (body instanceof Suite && body.hasOnly));
  }

  /** Runs the suite as steps of a test. */
  async run(context: Deno.TestContext): Promise<void> {
    const only = this.hasOnly;
    for (const hook of this.hooks.beforeAll) await hook(context);
    try {
      for (const { name, mode, body } of this.items) {
        const left = only && mode !== "only" && !(body instanceof Suite && body.hasOnly);
        const fn = body instanceof Suite ? (step: Deno.TestContext) => body.run(step) : this.#surround(body);
        await context.step({ name, ignore: mode === "ignore" || left, fn });
      }
    } finally {
      for (const hook of this.hooks.afterAll) await hook(context);
    }
  }

  #surround(body: Body): Body {
    return async (context) => {
      for (const hook of this.around("beforeEach")) await hook(context);
      try {
        await body(context);
      } finally {
        for (const hook of this.around("afterEach").reverse()) await hook(context);
      }
    };
  }
}

let current: Suite | undefined;

function add(name: string, mode: Mode, body: Body | Suite): void {
  if (current !== undefined) {
    current.items.push({ name, mode, body });
    return;
  }
  const only = mode === "only" || (body instanceof Suite && body.hasOnly);
  const fn = body instanceof Suite ? (context: Deno.TestContext) => body.run(context) : body;
  Deno.test({ name, ignore: mode === "ignore", only, fn });
}

function makeIt(mode: Mode): It {
  return (name, fn) => add(name, mode, fn);
}

function makeDescribe(mode: Mode): Describe {
  return (name, fn) => {
    const parent = current;
    const suite = new Suite(parent);
    current = suite;
    try {
      fn();
    } finally {
      current = parent;
    }
    add(name, mode, suite);
  };
}

/** Registers a test, in the suite being described if there is one. */
export const it: It & Record<"ignore" | "skip" | "only", It> = Object.assign(makeIt("run"), {
  ignore: makeIt("ignore"),
  skip: makeIt("ignore"),
  only: makeIt("only"),
});

/** Alias of {@linkcode it}. */
export const test: typeof it = it;

/** Registers a suite of tests, which runs as one test with steps. */
export const describe: Describe & Record<"ignore" | "skip" | "only", Describe> = Object.assign(makeDescribe("run"), {
  ignore: makeDescribe("ignore"),
  skip: makeDescribe("ignore"),
  only: makeDescribe("only"),
});

function hook(name: Hook, fn: Body): void {
  if (current === undefined) throw new TypeError(`Cannot call ${name}() outside describe()`);
  current.hooks[name].push(fn);
}

/** Runs before the suite. */
export function beforeAll(fn: Body): void {
  hook("beforeAll", fn);
}

/** Runs after the suite, also when it fails. */
export function afterAll(fn: Body): void {
  hook("afterAll", fn);
}

/** Runs before each test of the suite. */
export function beforeEach(fn: Body): void {
  hook("beforeEach", fn);
}

/** Runs after each test of the suite, also when it fails. */
export function afterEach(fn: Body): void {
  hook("afterEach", fn);
}

/** Alias of {@linkcode beforeAll}. */
export const before: typeof beforeAll = beforeAll;
/** Alias of {@linkcode afterAll}. */
export const after: typeof afterAll = afterAll;
