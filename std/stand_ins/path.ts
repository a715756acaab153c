/**
 * Stand-in for `@std/path` on networks without JSR: what this repository uses of it, over `node:path` and `node:url`.
 *
 * @module
 */
import * as path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

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

/** The path of a `file:` URL. */
export function fromFileUrl(url: string | URL): string {
  const { protocol } = url = new URL(url);
  if (protocol !== "file:") throw new TypeError(`URL must be a file URL: received "${protocol}"`);
  return fileURLToPath(url);
}

/** Joins paths and normalises the result. */
export function join(first: string | URL, ...rest: string[]): string {
  return path.join(text(first), ...rest);
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
  if (!path.isAbsolute(value)) throw new TypeError(`Path must be absolute: received "${value}"`);
  return pathToFileURL(value);
}
