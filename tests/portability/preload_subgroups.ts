/**
 * Gives all tests an adapter with subgroups of 32 invocations, or `SUBGROUPS`, emulated in workgroup memory, and the forms
 * for GPUs:
 *
 *     SUBGROUPS=64 FORM=family:gpu deno test -A --preload tests/portability/preload_subgroups.ts tests/ops/norm
 */
import { withSubgroups } from "./_subgroups.ts";

const size = Number(Deno.env.get("SUBGROUPS") ?? 32);
Object.defineProperty(navigator, "gpu", { value: withSubgroups(navigator.gpu, size), configurable: true });
