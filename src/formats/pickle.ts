import { ByteReader } from "./byte_reader.ts";
import type { Bytes } from "./dtype.ts";
import { PickleMachine, type PickleOptions } from "./pickle_machine.ts";
import { PICKLE_OPS } from "./pickle_ops.ts";
import { damaged, type PickleValue } from "./pickle_values.ts";

const STOP = 46;

/**
 * Reads a pickle of protocol 0 to 5 and executes nothing: a pickle is a small program that can name any function of Python,
 * and here it reaches only the globals of an allow-list, which stand for plain values.
 *
 * @param bytes The pickle, and nothing after it.
 * @param options The allow-list (default: empty), persistent ids, a bound on the work.
 * @throws {SyntaxError} If the pickle is damaged, mentions a global that is not allowed (the message names it), or makes more
 *   than it may: operations, memory, values inside each other.
 */
export function unpickle(bytes: Bytes, options: PickleOptions = {}): PickleValue {
  const reader = new ByteReader(bytes, "pickle");
  const value = unpickleNext(reader, options);
  if (reader.left > 0) throw damaged(`it must end at its STOP, not ${reader.left} bytes later`);
  return value;
}

/** Reads one pickle and leaves the reader right after it. */
export function unpickleNext(reader: ByteReader, options: PickleOptions = {}): PickleValue {
  const machine = new PickleMachine(options, reader.left);
  while (true) {
    machine.step();
    const code = reader.u8();
    if (code === STOP) return machine.result();
    const op = PICKLE_OPS.get(code);
    if (!op) throw damaged(`each operation must be known, not 0x${code.toString(16)} at ${reader.offset - 1}`);
    op(machine, reader);
  }
}
