import { encodeLatin1 } from "./byte_reader.ts";
import { type Bytes, elementToNumber, type NdDType } from "./dtype.ts";
import { isShape, type NdArray, ndarray, type StringArray } from "./ndarray.ts";
import { decodeNumpy, type NumpyType, parseNumpyType } from "./numpy_dtype.ts";
import { tableGlobals } from "./pickle_globals.ts";
import { narrow } from "./pickle_text.ts";
import {
  damaged,
  describeValue,
  type PickleGlobals,
  type PickleHandler,
  PickleOpaque,
  type PickleValue,
} from "./pickle_values.ts";

const WHAT = "pickled numpy array";
const MAX_CODE = 16; // characters of a type, such as "<U1234"

/** A `numpy.dtype` of a pickle: kind and size at first, byte order with its state. */
class NumpyDType extends PickleOpaque {
  readonly code: string;
  #order = "|";

  constructor(code: string) {
    super();
    this.code = code;
  }

  setOrder(order: string): void {
    this.#order = order;
  }

  get type(): NumpyType {
    return parseNumpyType(/^[<>|=]/.test(this.code) ? this.code : this.#order + this.code, WHAT);
  }

  override toString(): string {
    return `numpy.dtype(${this.#order}${this.code})`;
  }
}

function toShape(value: PickleValue | undefined): number[] {
  if (isShape(value)) return value;
  throw damaged(`a numpy shape must be a tuple of sizes, not ${describeValue(value)}`);
}

function toType(value: PickleValue | undefined): NumpyType {
  if (value instanceof NumpyDType) return value.type;
  throw damaged(`a numpy array must have a numpy.dtype, not ${describeValue(value)}`);
}

/** Raw elements: bytes, or the Latin-1 text that Python 2's `str` reads as. */
function toRaw(value: PickleValue | undefined): Bytes {
  if (value instanceof Uint8Array) return value;
  const bytes = typeof value === "string" ? encodeLatin1(value) : undefined;
  if (bytes) return bytes;
  throw damaged(`the elements of a numpy array must be bytes, not ${describeValue(value)}`);
}

function decode(type: NumpyType, shape: number[], fortran: boolean, raw: Bytes): NdArray | StringArray {
  return decodeNumpy(type, shape, fortran, raw, WHAT);
}

const ARRAY: PickleHandler = {
  // The arguments say "an empty array of bytes"; the state brings the real one, in the same object, which the memo holds.
  call: () => ndarray([0], "u8", new Uint8Array(0)),
  build(object, state) {
    if (!Array.isArray(state) || state.length < 4) throw damaged("the state of a numpy array must have five parts");
    const [shape, dtype, fortran, raw] = state.slice(-4);
    Object.assign(object as NdArray, decode(toType(dtype), toShape(shape), fortran === true, toRaw(raw)));
  },
};

const DTYPE: PickleHandler = {
  call([code]) {
    if (typeof code === "string" && code.length <= MAX_CODE) return new NumpyDType(code);
    throw damaged(`a numpy.dtype must be named by short text, not by ${describeValue(code)}`);
  },
  build(object, state) {
    const order = Array.isArray(state) ? state[1] : undefined;
    if (!(object instanceof NumpyDType) || typeof order !== "string" || !/^[<>|=]$/.test(order)) {
      throw damaged(`the state of a numpy.dtype must hold a byte order, not ${describeValue(order)}`);
    }
    object.setOrder(order);
  },
};

/** A NumPy scalar, as a plain number, bigint, truth value or text. */
function toScalar([dtype, raw]: readonly PickleValue[]): PickleValue {
  const array = decode(toType(dtype), [], false, toRaw(raw));
  const value = array.data[0]!;
  if (typeof value === "string") return value;
  if (typeof value === "bigint") return narrow(value);
  return array.dtype === "bool" ? value !== 0 : elementToNumber(array.dtype as NdDType, value);
}

/** Protocol 5's way to write an array whose bytes follow. */
function fromBuffer([raw, dtype, shape, order]: readonly PickleValue[]): PickleValue {
  return decode(toType(dtype), toShape(shape), order === "F", toRaw(raw));
}

const RECONSTRUCT = ["core.multiarray._reconstruct", "_core.multiarray._reconstruct"];
const SCALAR = ["core.multiarray.scalar", "_core.multiarray.scalar"];
const FROM_BUFFER = ["core.numeric._frombuffer", "_core.numeric._frombuffer"];

/** NumPy's arrays, scalars and dtypes, under the module names of NumPy 1 and 2. */
export const numpyGlobals: PickleGlobals = tableGlobals(Object.fromEntries<PickleHandler>([
  ...RECONSTRUCT.map((name) => [`numpy.${name}`, ARRAY] as const),
  ...SCALAR.map((name) => [`numpy.${name}`, { call: toScalar }] as const),
  ...FROM_BUFFER.map((name) => [`numpy.${name}`, { call: fromBuffer }] as const),
  ["numpy.dtype", DTYPE],
  ["numpy.ndarray", {}],
]));
