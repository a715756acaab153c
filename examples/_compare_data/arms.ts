import { UsageError } from "../../src/cli/mod.ts";
import { type MethodName, METHODS } from "../../src/methods/mod.ts";
import type { DataFlags } from "./flags.ts";

/** One way of learning, as arguments of the pre-training program. */
export interface DataArm {
  /** Name, also of its folders; as in the comparison on emoji. */
  readonly name: string;
  /** Arguments that say how it learns. */
  readonly args: readonly string[];
}

/** Data sets whose programs have a prior of their own. */
const WITH_PRIOR: readonly string[] = ["cub200", "utzappos", "chexpert"];

/**
 * The arms of the methods: decoupled uniformity without a prior and, where there is one, with it; each other method once.
 *
 * @throws {UsageError} If a method that is asked for needs a prior, and there is none.
 */
export function dataArms(flags: DataFlags): DataArm[] {
  const { db, methods, prior } = flags;
  const known = prior !== undefined || WITH_PRIOR.includes(db);
  const all = methods.length === Object.keys(METHODS).length;
  const lacking = methods.find((method) => needsPrior(method) && !known);
  if (lacking && !all) {
    throw new UsageError(
      `Cannot compare --methods ${lacking} on ${db} without a prior: give --prior FILE, and --kernel with its --sigma`,
    );
  }
  return methods.filter((method) => known || !needsPrior(method)).flatMap((method) => armsOf(method, flags, known));
}

function needsPrior(method: MethodName): boolean {
  return METHODS[method].prior === "kernel" || METHODS[method].prior === "classes";
}

function armsOf(method: MethodName, flags: DataFlags, known: boolean): DataArm[] {
  const { prior, kernel, sigma } = flags;
  const file = given("prior", prior);
  const similar = [...given("kernel", kernel), ...given("sigma", sigma)];
  const args = ["--method", method];
  switch (METHODS[method].prior) {
    case "none":
      return [{ name: method, args }];
    case "classes":
      return [{ name: `prior, ${method}`, args: [...args, ...file] }];
    case "kernel":
      return [{ name: `prior, ${method}`, args: [...args, ...file, ...similar] }];
    case "maybe":
      return [
        { name: "no prior", args: [...args, "--kernel", "none"] },
        ...known ? [{ name: "prior", args: [...args, ...file, ...similar] }] : [],
      ];
  }
}

function given(name: string, value: string | undefined): string[] {
  return value === undefined ? [] : [`--${name}`, value];
}
