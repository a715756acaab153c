/**
 * Gives all tests an adapter whose functions are as inexact as WGSL allows:
 *
 *     deno test -A --preload tests/portability/preload_loose.ts tests/ops/norm
 */
import { withLoose } from "./_loose.ts";

Object.defineProperty(navigator, "gpu", { value: withLoose(navigator.gpu), configurable: true });
