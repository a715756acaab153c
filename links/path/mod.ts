/**
 * Stand-in for `@std/path` on networks without JSR: the same names and signatures, over `node:path` and `node:url`.
 *
 * @module
 */
import * as path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/** The parts of a path. */
export interface ParsedPath {
  /** Root, `/` or empty. */
  root: string;
  /** Folder. */
  dir: string;
  /** Last part, with extension. */
  base: string;
  /** Extension with its dot. */
  ext: string;
  /** Last part, without extension. */
  name: string;
}

/** Separates the parts of a path: `/` or `\`. */
export const SEPARATOR: "/" | "\\" = path.sep;
/** Matches one or more separators. */
export const SEPARATOR_PATTERN: RegExp = path.sep === "/" ? /\/+/ : /[\\/]+/;
/** Separates the folders of `PATH`: `:` or `;`. */
export const DELIMITER: ":" | ";" = path.delimiter;

function text(value: string | URL): string {
  return value instanceof URL ? fromFileUrl(value) : value;
}

/** The last part of a path, without `suffix`. */
export function basename(value: string | URL, suffix = ""): string {
  return path.basename(text(value), suffix);
}

/** The folder of a path. */
export function dirname(value: string | URL): string {
  return path.dirname(text(value));
}

/** The extension of a path, with its dot. */
export function extname(value: string | URL): string {
  return path.extname(text(value));
}

/** A path from its parts. */
export function format(parts: Partial<ParsedPath>): string {
  return path.format(parts);
}

/** The path of a `file:` URL. */
export function fromFileUrl(url: string | URL): string {
  const { protocol } = url = new URL(url);
  if (protocol !== "file:") throw new TypeError(`URL must be a file URL: received "${protocol}"`);
  return fileURLToPath(url);
}

/** Whether a path starts at the root. */
export function isAbsolute(value: string): boolean {
  return path.isAbsolute(value);
}

/** Joins paths and normalises the result. */
export function join(first?: string | URL, ...rest: string[]): string {
  return first === undefined ? "." : path.join(text(first), ...rest);
}

/** Resolves `.`, `..` and repeated separators. */
export function normalize(value: string | URL): string {
  return path.normalize(text(value));
}

/** The parts of a path. */
export function parse(value: string): ParsedPath {
  return path.parse(value);
}

/** The path from one to another. */
export function relative(from: string, to: string): string {
  return path.relative(from, to);
}

/** The absolute path of a sequence of paths. */
export function resolve(...parts: string[]): string {
  return path.resolve(...parts);
}

/** The `file:` URL of an absolute path. */
export function toFileUrl(value: string): URL {
  if (!isAbsolute(value)) throw new TypeError(`Path must be absolute: received "${value}"`);
  return pathToFileURL(value);
}
