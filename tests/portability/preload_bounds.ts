/**
 * Gives all tests an adapter where an index past the end of an array means another element of it, in reads and in writes:
 *
 *     deno test -A --preload tests/portability/preload_bounds.ts tests/ops/norm
 */
import { withBounds } from "./_bounds.ts";

Object.defineProperty(navigator, "gpu", { value: withBounds(navigator.gpu), configurable: true });
