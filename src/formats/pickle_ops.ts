import { type ByteReader, decodeLatin1 } from "./byte_reader.ts";
import type { Bytes } from "./dtype.ts";
import type { PickleMachine } from "./pickle_machine.ts";
import { setPairs } from "./pickle_keys.ts";
import { damaged, type PickleValue } from "./pickle_values.ts";
import {
  decodeLongBytes,
  parseFloatText,
  parseIntText,
  parseLongText,
  parseRawUnicode,
  parseStringText,
} from "./pickle_text.ts";

/** One operation of a pickle. */
export type PickleOp = (machine: PickleMachine, reader: ByteReader) => void;

/** An operation that pushes what it reads. */
function pushes(read: (reader: ByteReader) => PickleValue): PickleOp {
  return (machine, reader) => machine.push(read(reader));
}

function bytesOf(reader: ByteReader, length: number): Bytes {
  return reader.take(length).slice();
}

function lineOf(reader: ByteReader): string {
  return decodeLatin1(reader.line());
}

function lengthOf(reader: ByteReader): number {
  const length = reader.i32();
  if (length < 0) throw damaged(`a length must be >= 0, not ${length}`);
  return length;
}

function indexOf(reader: ByteReader): number {
  const index = Number(lineOf(reader));
  if (!Number.isSafeInteger(index) || index < 0) throw damaged("a memo's number must be a whole number");
  return index;
}

function noExtension(): never {
  throw new SyntaxError("Cannot run unpickle() as the extension registry of copyreg is empty: the pickle uses it");
}

function noBuffer(): never {
  throw new SyntaxError("Cannot run unpickle() as its buffers must be inside: the pickle keeps them elsewhere");
}

const SIMPLE: readonly (readonly [code: string, op: PickleOp])[] = [
  ["(", (machine) => machine.mark()],
  ["0", (machine) => machine.drop()],
  ["1", (machine) => void machine.popMark()],
  ["2", (machine) => machine.pushAgain(machine.top())],
  ["N", pushes(() => null)],
  ["\x88", pushes(() => true)],
  ["\x89", pushes(() => false)],
  ["]", pushes(() => [])],
  [")", (machine) => machine.pushFrozen([])],
  ["}", pushes(() => new Map())],
  ["\x8f", pushes(() => new Set())],
];

const NUMBERS: typeof SIMPLE = [
  ["I", pushes((reader) => parseIntText(lineOf(reader)))],
  ["L", pushes((reader) => parseLongText(lineOf(reader)))],
  ["F", pushes((reader) => parseFloatText(lineOf(reader)))],
  ["K", pushes((reader) => reader.u8())],
  ["M", pushes((reader) => reader.u16())],
  ["J", pushes((reader) => reader.i32())],
  ["G", pushes((reader) => reader.f64be())],
  ["\x8a", pushes((reader) => decodeLongBytes(reader.take(reader.u8())))],
  ["\x8b", pushes((reader) => decodeLongBytes(reader.take(lengthOf(reader))))],
];

const TEXTS: typeof SIMPLE = [
  ["S", pushes((reader) => parseStringText(lineOf(reader)))],
  ["V", pushes((reader) => parseRawUnicode(lineOf(reader)))],
  ["U", pushes((reader) => decodeLatin1(reader.take(reader.u8())))],
  ["T", pushes((reader) => decodeLatin1(reader.take(lengthOf(reader))))],
  ["\x8c", pushes((reader) => reader.utf8(reader.u8()))],
  ["X", pushes((reader) => reader.utf8(reader.u32()))],
  ["\x8d", pushes((reader) => reader.utf8(reader.u64()))],
  ["C", pushes((reader) => bytesOf(reader, reader.u8()))],
  ["B", pushes((reader) => bytesOf(reader, reader.u32()))],
  ["\x8e", pushes((reader) => bytesOf(reader, reader.u64()))],
  ["\x96", pushes((reader) => bytesOf(reader, reader.u64()))],
];

const CONTAINERS: typeof SIMPLE = [
  ["t", (machine) => machine.pushFrozen(machine.popMark())],
  ["l", (machine) => machine.push(machine.popMark())],
  ["\x85", (machine) => machine.pushFrozen(machine.popMany(1))],
  ["\x86", (machine) => machine.pushFrozen(machine.popMany(2))],
  ["\x87", (machine) => machine.pushFrozen(machine.popMany(3))],
  ["d", (machine) => machine.push(setPairs(new Map(), machine.popMark()))],
  ["\x91", (machine) => machine.pushFrozen(new Set(machine.popMark()))],
  ["a", (machine) => machine.append(machine.popMany(1))],
  ["e", (machine) => machine.append(machine.popMark())],
  ["\x90", (machine) => machine.add(machine.popMark())],
  ["s", (machine) => machine.setItems(machine.popMany(2))],
  ["u", (machine) => machine.setItems(machine.popMark())],
];

const MEMO: typeof SIMPLE = [
  ["p", (machine, reader) => machine.memoize(indexOf(reader))],
  ["q", (machine, reader) => machine.memoize(reader.u8())],
  ["r", (machine, reader) => machine.memoize(reader.u32())],
  ["\x94", (machine) => machine.memoize()],
  ["g", (machine, reader) => machine.recall(indexOf(reader))],
  ["h", (machine, reader) => machine.recall(reader.u8())],
  ["j", (machine, reader) => machine.recall(reader.u32())],
];

const OBJECTS: typeof SIMPLE = [
  ["c", (machine, reader) => machine.pushGlobal(lineOf(reader), lineOf(reader))],
  ["\x93", (machine) => machine.pushGlobal(...machine.popMany(2) as [PickleValue, PickleValue])],
  ["R", callTop],
  ["\x81", callTop],
  ["\x92", (machine) => machine.call(...machine.popMany(3) as [PickleValue, PickleValue, PickleValue])],
  ["b", (machine) => machine.build()],
  ["o", callMarked],
  ["i", (machine, reader) => {
    const args = machine.popMark();
    machine.pushGlobal(lineOf(reader), lineOf(reader));
    machine.call(machine.pop(), args);
  }],
  ["P", (machine, reader) => machine.pushPersistent(lineOf(reader))],
  ["Q", (machine) => machine.pushPersistent(machine.pop())],
];

const FRAMING: typeof SIMPLE = [
  ["\x80", (_, reader) => {
    const protocol = reader.u8();
    if (protocol > 5) throw new SyntaxError(`Cannot run unpickle() as its protocol must be <= 5: got ${protocol}`);
  }],
  ["\x95", (_, reader) => {
    const length = reader.u64();
    if (length > reader.left) throw damaged(`a frame must end inside it, not ${length} bytes on`);
  }],
  ["\x82", noExtension],
  ["\x83", noExtension],
  ["\x84", noExtension],
  ["\x97", noBuffer],
  ["\x98", (machine) => void machine.top()],
];

function callTop(machine: PickleMachine): void {
  machine.call(...machine.popMany(2) as [PickleValue, PickleValue]);
}

function callMarked(machine: PickleMachine): void {
  const [target, ...args] = machine.popMark();
  if (target === undefined) throw damaged("a class must come before its arguments");
  machine.call(target, args);
}

/** The operations of protocols 0 to 5 by their byte, but for STOP (`.`). */
export const PICKLE_OPS: ReadonlyMap<number, PickleOp> = new Map(
  [...SIMPLE, ...NUMBERS, ...TEXTS, ...CONTAINERS, ...MEMO, ...OBJECTS, ...FRAMING]
    .map(([code, op]) => [code.charCodeAt(0), op]),
);
