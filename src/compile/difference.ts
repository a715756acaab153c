import { bindingsOf, type RecordedDispatch } from "../device/internal.ts";
import type { Recording } from "../device/mod.ts";

/**
 * Describes how the commands of one recording differ from those of another, for an error; null when they do the same
 * with the same storages from outside. Scalars that are asked for at every replay may differ.
 */
export function differenceOf(before: Recording, after: Recording): string | null {
  const count = Math.max(before.dispatches.length, after.dispatches.length);
  for (let i = 0; i < count; i++) {
    const [a, b] = [before.dispatches[i], after.dispatches[i]];
    if (!a || !b || !samePipeline(a, b) || `${a.workgroups}` !== `${b.workgroups}`) {
      return `got ${describe(a)} and later ${describe(b)} as command ${i + 1}`;
    }
    const scalar = changedScalar(a, b, (at) => before.isLive(i, at));
    if (scalar) return `got ${scalar} of ${describe(a)}`;
    const [from, to] = [bindingsOf(a.bindings), bindingsOf(b.bindings)];
    for (const [k, bound] of from.entries()) {
      const other = to[k]!;
      const outside = before.held.has(bound.storage) || after.held.has(other.storage);
      if (outside && (bound.storage !== other.storage || bound.offset !== other.offset)) {
        return `got another tensor from outside in ${describe(a)}`;
      }
    }
  }
  return null;
}

/** Whether both do the same; one may have been compiled again since. */
function samePipeline(a: RecordedDispatch, b: RecordedDispatch): boolean {
  return a.pipeline.key === b.pipeline.key;
}

function describe(dispatch: RecordedDispatch | undefined): string {
  if (!dispatch) return "nothing";
  return dispatch.label ? `${dispatch.label} (${dispatch.pipeline.label})` : dispatch.pipeline.label;
}

/** The first scalar that differs, as text. */
function changedScalar(a: RecordedDispatch, b: RecordedDispatch, isLive: (at: number) => boolean): string | null {
  if (!a.params || !b.params) return null;
  const [from, to] = [new DataView(a.params.buffer), new DataView(b.params.buffer)];
  let at = 0;
  for (const [name, type] of Object.entries(a.program.params)) {
    if (from.getUint32(at) !== to.getUint32(at) && !isLive(at)) {
      const [x, y] = [from, to].map((view) =>
        type === "f32" ? view.getFloat32(at, true) : type === "u32" ? view.getUint32(at, true) : view.getInt32(at, true)
      );
      return `${name} ${x} and later ${y}`;
    }
    at += 4;
  }
  return null;
}
