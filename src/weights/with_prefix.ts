import { quoted, quotedSome } from "../formats/internal.ts";
import type { StateDict } from "./model_state.ts";

/**
 * The weights whose names begin with a prefix, without it.
 *
 * @throws {RangeError} If there are none; the message names the parts that there are.
 */
export function withPrefix(path: string, weights: StateDict, prefix: string): StateDict {
  const start = prefix === "" || prefix.endsWith(".") ? prefix : `${prefix}.`;
  const own = [...weights].filter(([name]) => name.startsWith(start));
  if (own.length > 0) return new Map(own.map(([name, value]) => [name.slice(start.length), value]));
  const parts = new Set([...weights.keys()].map((name) => name.split(".").slice(0, start.split(".").length).join(".")));
  throw new RangeError(
    `Cannot use "${path}" as a name must begin with the prefix ${quoted(start)}: got ${quotedSome(parts, 8)}`,
  );
}
