import { type Accesses, type ParamTypes, type Program, readProgram } from "./program.ts";

/**
 * The programs of one device that come in versions (by precision, form, operands), each made where it is first needed. So
 * a dispatch joins no WGSL: an equal program made anew would find the same pipeline, but its source had to be read.
 */
export class ProgramMemo {
  #versions = new WeakMap<object, Map<string, unknown>>();

  /**
   * A version of a program.
   *
   * @param owner What the versions belong to: the shader, or the program that they are made from.
   * @param version Tells those of one owner apart; one of them has one interface.
   * @param make Makes it, the first time.
   */
  get<P extends ParamTypes, A extends Accesses>(
    owner: object,
    version: string,
    make: () => Program<P, A>,
  ): Program<P, A> {
    let versions = this.#versions.get(owner);
    if (!versions) this.#versions.set(owner, versions = new Map());
    let program = versions.get(version) as Program<P, A> | undefined;
    if (!program) versions.set(version, program = make());
    return program;
  }

  /**
   * A program with its interface: what is given, or what its WGSL declares where it was made without `defineProgram()`.
   *
   * @throws {TypeError} If it is no program.
   */
  whole(given: Program): Program {
    return given?.access ? given : this.get(Object(given), "whole", () => readProgram(given));
  }
}
