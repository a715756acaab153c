import { Tensor } from "../tensor/mod.ts";

/**
 * The tensors of a list that was given: a network, or one tensor, is none.
 *
 * @param task What cannot be done otherwise, for the message.
 * @param name Name of the list.
 * @throws {TypeError} If it is no list of tensors.
 */
export function tensorsOf(task: string, name: string, given: Iterable<Tensor>): Tensor[] {
  const isList = given instanceof Object && !(given instanceof Tensor) && Symbol.iterator in given;
  const list = isList ? [...given] : [];
  const isNone = (each: unknown) => !(each instanceof Tensor);
  const wrong: unknown = isList ? list.find(isNone) : given;
  if (isList && !list.some(isNone)) return list;
  const named = wrong instanceof Object ? wrong.constructor.name : String(wrong);
  const got = wrong instanceof Tensor ? "Tensor" : named; // bundlers rename classes
  throw new TypeError(
    `Cannot ${task} as ${name} must be a list of tensors, as parameters() of a network gives: got ${
      isList ? "a list with " : ""
    }${got}`,
  );
}
