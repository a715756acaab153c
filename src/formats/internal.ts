// What other folders use beside mod.ts; not part of the package's interface.
export { crc32 } from "./crc32.ts";
export { decodeLatin1 } from "./byte_reader.ts";
export { CONTENT_BYTES, contentOf, IMAGE_CONTENTS, isReadableImage } from "./content.ts";
export { parseDecimal } from "./decimal.ts";
export { inflate } from "./deflate.ts";
export { eventKeys, type EventValue, type Histogram, summaryEvent, versionEvent } from "./event.ts";
export { itemSize, ND_DTYPES } from "./dtype.ts";
export { fileSize, partOf, readAll, readJson, replaceBy, sayAbsent } from "./file.ts";
export { type WeightsFormat, weightsFormat } from "./file_format.ts";
export { describeOwner, FileLock, LockedError } from "./file_lock.ts";
export { isRecord, parseJson } from "./json.ts";
export { hwioToOihw, nchwToNhwc, nhwcToNchw, oihwToHwio, permuteAxes, transposeLinear } from "./layout.ts";
export { elementCount } from "./ndarray.ts";
export { npyHeader, readNpy, writeNpy } from "./npy.ts";
export { unpickle } from "./pickle.ts";
export { chainGlobals, pythonGlobals, stubGlobals, tableGlobals } from "./pickle_globals.ts";
export type { PickleOptions } from "./pickle_machine.ts";
export { numpyGlobals } from "./pickle_numpy.ts";
export { describeValue } from "./pickle_values.ts";
export { escapeCommands, jsonLine, printable, quoted, quotedSome } from "./quoted.ts";
export { checkSeal, sealed } from "./seal.ts";
export { sha256 } from "./sha256.ts";
export { concatBytes, toSource } from "./source.ts";
export { tfRecord, tfRecords } from "./tfrecord.ts";
export { openZip } from "./zip.ts";
export { writeZip, zipChunks, type ZipMember, type ZipStream } from "./zip_write.ts";
export {
  attribute,
  constant,
  floatAttribute,
  node,
  type OnnxField,
  onnxModel,
  type OnnxSignature,
} from "./onnx_write.ts";
