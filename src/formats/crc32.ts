import type { Bytes } from "./dtype.ts";

const LANES = 8;

const TABLES = makeTables(0xedb88320);
const CASTAGNOLI = makeTables(0x82f63b78);

/** Tables of a polynomial, its bits reversed: at `k * 256 + b` the remainder of byte b followed by k zero bytes. */
function makeTables(polynomial: number): Uint32Array {
  const tables = new Uint32Array(LANES * 256);
  for (let byte = 0; byte < 256; byte++) {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ polynomial : value >>> 1;
    tables[byte] = value;
  }
  for (let i = 256; i < tables.length; i++) tables[i] = (tables[i - 256]! >>> 8) ^ tables[tables[i - 256]! & 255]!;
  return tables;
}

/**
 * The CRC-32 of zip files, eight bytes at a time.
 *
 * @param bytes What to check.
 * @param previous The checksum of the bytes before these, when they come in pieces.
 */
export function crc32(bytes: Bytes, previous = 0): number {
  return remainder(TABLES, bytes, previous);
}

/** The CRC-32C (Castagnoli) of TensorFlow's records. */
export function crc32c(bytes: Bytes): number {
  return remainder(CASTAGNOLI, bytes, 0);
}

function remainder(tables: Uint32Array, bytes: Bytes, previous: number): number {
  let crc = ~previous;
  let i = 0;
  for (const end = bytes.length - (LANES - 1); i < end; i += LANES) {
    crc ^= bytes[i]! | bytes[i + 1]! << 8 | bytes[i + 2]! << 16 | bytes[i + 3]! << 24;
    crc = tables[1792 + (crc & 255)]! ^ tables[1536 + (crc >>> 8 & 255)]! ^
      tables[1280 + (crc >>> 16 & 255)]! ^ tables[1024 + (crc >>> 24)]! ^
      tables[768 + bytes[i + 4]!]! ^ tables[512 + bytes[i + 5]!]! ^
      tables[256 + bytes[i + 6]!]! ^ tables[bytes[i + 7]!]!;
  }
  for (; i < bytes.length; i++) crc = (crc >>> 8) ^ tables[(crc ^ bytes[i]!) & 255]!;
  return ~crc >>> 0;
}
