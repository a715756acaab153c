// deno-lint-ignore-file no-control-regex -- the beginnings of files are bytes of any value
import { decodeLatin1 } from "./byte_reader.ts";
import type { Bytes } from "./dtype.ts";

/** Kind of file, known by its beginning. */
interface Kind {
  name: string;
  /** Tells whether bytes, at most {@linkcode CONTENT_BYTES} as Latin-1, begin a file of the format. */
  begins: (start: string) => boolean;
}

/** Bytes that are needed to tell what a file is. */
export const CONTENT_BYTES = 512;

const after = (text: string, at = 0) => (start: string) => start.startsWith(text, at);
const like = (pattern: RegExp) => (start: string) => pattern.test(start);

const KINDS: readonly Kind[] = [
  { name: "a JPEG picture", begins: after("\xff\xd8\xff") },
  { name: "a PNG picture", begins: after("\x89PNG\r\n\x1a\n") },
  { name: "a GIF picture", begins: like(/^GIF8[79]a/) },
  { name: "a WebP picture", begins: (start) => start.startsWith("RIFF") && start.startsWith("WEBP", 8) },
  { name: "a TIFF picture", begins: like(/^(II\x2a\x00|MM\x00\x2a|II\x2b\x00|MM\x00\x2b)/) },
  { name: "an AVIF picture", begins: like(/^[^]{4}ftyp(avif|avis|[^]{4}[^]{4}([^]{4}){0,8}avif)/) },
  { name: "a HEIC picture", begins: like(/^[^]{4}ftyp(heic|heix|hevc|heim|heis|mif1|msf1)/) },
  { name: "a BMP picture", begins: like(/^BM[^]{12}[\x0c-\x7c]\x00\x00\x00/) },
  { name: "an SVG picture", begins: (start) => /^(<!doctype svg|<(svg:)?svg[\s>])/i.test(afterProlog(start)) },
  { name: "a PDF document", begins: after("%PDF-") },
  {
    name: "a pointer of Git LFS (git lfs pull brings the file)",
    begins: after("version https://git-lfs"),
  },
  {
    name: "a web page (a download that failed?)",
    begins: (start) => /^<(!doctype html|(html|head|body|title|meta|script)\b)/i.test(afterProlog(start)),
  },
  { name: "gzip (unpack it first)", begins: after("\x1f\x8b") },
  { name: "xz (unpack it first)", begins: after("\xfd7zXZ\x00") },
  { name: "bzip2 (unpack it first)", begins: like(/^BZh[1-9]/) },
  { name: "zstd (unpack it first)", begins: after("\x28\xb5\x2f\xfd") },
  { name: "7z (unpack it first)", begins: after("7z\xbc\xaf\x27\x1c") },
  { name: "a tar of PyTorch 0.1", begins: like(/^(\.\/)?(sys_info|pickle|tensors|storages)\0[^]*\0ustar/) },
  { name: "a tar archive (unpack it first)", begins: after("ustar", 257) },
  { name: "a zip file", begins: like(/^PK(\x03\x04|\x05\x06)/) },
  { name: "an HDF5 file (Keras?)", begins: after("\x89HDF\r\n\x1a\n") },
  { name: "a NumPy array", begins: after("\x93NUMPY") },
  { name: "a safetensors file", begins: like(/^[^]{4}\0{4}\{/) },
  { name: "a pickle", begins: like(/^\x80[\x02-\x05]/) },
  { name: "JSON text", begins: like(/^(\xef\xbb\xbf)?\s*[{[]\s*["{[\]}]/) },
];

/** Pairs of what opens and closes a part of XML's prolog. */
const PROLOG = [["<?", ">"], ["<!--", "-->"]] as const;

/** Text behind a byte-order mark, blanks, declarations and comments: found step by step, as a pattern takes 2ⁿ of them. */
function afterProlog(start: string): string {
  let text = start.replace(/^\xef\xbb\xbf/, "").trimStart();
  for (;;) {
    const part = PROLOG.find(([open]) => text.startsWith(open));
    const end = part ? text.indexOf(part[1], part[0].length) : -1;
    if (!part || end < 0) return text;
    text = text.slice(end + part[1].length).trimStart();
  }
}

/** Image formats that are read, as {@linkcode contentOf} names them. */
export const IMAGE_CONTENTS: readonly string[] = ["JPEG", "PNG", "WebP", "TIFF", "GIF", "AVIF"];

/**
 * Tells what a file is by its beginning, never by its name: for a sentence that says what came in place of what was
 * wanted.
 *
 * @param start The file, or its first {@linkcode CONTENT_BYTES} bytes.
 * @returns For example "a JPEG picture", "a web page", "an empty file".
 */
export function contentOf(start: Bytes): string {
  if (start.length === 0) return "an empty file";
  const text = decodeLatin1(start.slice(0, CONTENT_BYTES));
  const kind = KINDS.find(({ begins }) => begins(text));
  if (kind) return kind.name;
  return `bytes ${Array.from(start.subarray(0, 8), (byte) => byte.toString(16).padStart(2, "0")).join(" ")}`;
}

/** Whether a file is an image of a format that is read. */
export function isReadableImage(start: Bytes): boolean {
  const content = contentOf(start);
  return IMAGE_CONTENTS.some((name) => content === `a ${name} picture` || content === `an ${name} picture`);
}
