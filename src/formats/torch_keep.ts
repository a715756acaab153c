import { keyName, MAX_NAME } from "./pickle_keys.ts";
import { type PickleDict, PickleObject, type PickleValue } from "./pickle_values.ts";
import type { TorchTensors } from "./torch_tensors.ts";

interface Place {
  value: PickleValue;
  path: string;
}

/**
 * The tensors in a value, by a walk through its containers. With `keep`, tensors at other paths are taken out: entries of
 * dicts go, elements of lists become null.
 */
export function keepTensors(
  root: PickleValue,
  tensors: TorchTensors,
  keep: (path: string) => boolean = () => true,
): Set<PickleValue> {
  const wanted = new Set<PickleValue>();
  const seen = new Set<PickleValue>();
  const todo: Place[] = [{ value: root, path: "" }];
  const visit = (value: PickleValue, path: string): boolean => {
    if (!tensors.has(value)) todo.push({ value, path });
    else if (keep(checkPath(path))) wanted.add(value);
    else return false;
    return true;
  };
  if (tensors.has(root)) wanted.add(root);
  for (let place = todo.pop(); place; place = todo.pop()) {
    const { value, path } = place;
    if (typeof value !== "object" || value === null || seen.has(value)) continue;
    seen.add(value);
    if (Array.isArray(value)) visitList(value, path, visit);
    else if (value instanceof Map) visitDict(value, path, visit);
    else if (value instanceof Set) { for (const item of value) visit(item, path); }
    else if (value instanceof PickleObject) {
      const parts = [value.args as PickleValue[], value.kwargs, value.state, value.items, value.elements];
      for (const part of parts) todo.push({ value: part, path });
    }
  }
  return wanted;
}

type Visit = (value: PickleValue, path: string) => boolean;

function visitList(list: PickleValue[], path: string, visit: Visit): void {
  list.forEach((item, i) => {
    if (!visit(item, join(path, i))) list[i] = null;
  });
}

function visitDict(dict: PickleDict, path: string, visit: Visit): void {
  for (const [key, item] of dict) if (!visit(item, join(path, keyName(key)))) dict.delete(key);
}

function checkPath(path: string): string {
  if (path.length <= MAX_NAME) return path;
  throw new SyntaxError(
    `Cannot read a PyTorch file as names must take at most ${MAX_NAME} characters: got ${path.length}`,
  );
}

function join(path: string, key: string | number): string {
  return path === "" ? `${key}` : `${path}.${key}`;
}
