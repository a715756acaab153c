import type { Bytes } from "./dtype.ts";
import { crc32c } from "./crc32.ts";

/** Bytes before and after the content of a record: its length with a checksum, its own checksum. */
const [HEAD, TAIL] = [12, 4];
/** Maximum length of a record that is read, bytes. */
const MOST = 2 ** 28;

/** TensorFlow's mask: a checksum of bytes that hold checksums would be weak. */
function masked(bytes: Bytes): number {
  const crc = crc32c(bytes);
  return ((crc >>> 15 | crc << 17) + 0xa282ead8) >>> 0;
}

/** Content as a record of TensorFlow's: length, masked CRC-32C of it, content, masked CRC-32C of that. */
export function tfRecord(content: Bytes): Bytes {
  const record = new Uint8Array(HEAD + content.length + TAIL);
  const view = new DataView(record.buffer);
  view.setUint32(0, content.length, true);
  view.setUint32(8, masked(record.subarray(0, 8)), true);
  record.set(content, HEAD);
  view.setUint32(HEAD + content.length, masked(content), true);
  return record;
}

/** The contents of the records of a file, up to the first that is cut short or damaged. */
export function tfRecords(file: Bytes): Bytes[] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const contents: Bytes[] = [];
  for (let at = 0; at + HEAD + TAIL <= file.length;) {
    const length = view.getUint32(at, true);
    const end = at + HEAD + length;
    if (view.getUint32(at + 4, true) !== 0 || length > MOST || end + TAIL > file.length) break;
    const content = file.subarray(at + HEAD, end);
    if (view.getUint32(at + 8, true) !== masked(file.subarray(at, at + 8))) break;
    if (view.getUint32(end, true) !== masked(content)) break;
    contents.push(content);
    at = end + TAIL;
  }
  return contents;
}
