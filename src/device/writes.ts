import type { Failures } from "./failures.ts";
import type { Pipeline } from "./pipelines.ts";
import type { DeviceStorage } from "./storage.ts";
import type { Bindings } from "./bindings.ts";

/** Takes note of what a dispatch writes with a submit; it is as much in doubt as all that the dispatch binds. */
export function noteWrites(pipeline: Pipeline, bindings: Bindings, serial: number, failures: Failures): void {
  const known = failures.hasDoubts ? failures.doubtIn(storagesOf(bindings)) ?? serial : serial;
  for (const binding of pipeline.writes) {
    const bound = bindings[binding]!;
    ("storage" in bound ? bound.storage : bound).wrote(known);
  }
}

function* storagesOf(bindings: Bindings): Generator<DeviceStorage> {
  for (const binding in bindings) {
    const bound = bindings[binding];
    if (bound) yield "storage" in bound ? bound.storage : bound;
  }
}
