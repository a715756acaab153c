/**
 * Gives all tests an adapter with the standard's default limits and no optional feature:
 *
 *     deno test -A --preload tests/portability/preload_lesser.ts tests/ops
 *
 * `STORAGES=16` gives it so many storage buffers instead of 8; `FEATURES=shader-f16,subgroups` leaves it these features.
 */
import { DEFAULT_LIMITS, lesser } from "./_lesser.ts";

const limits = { ...DEFAULT_LIMITS, maxStorageBuffersPerShaderStage: Number(Deno.env.get("STORAGES") ?? 8) };
const features = (Deno.env.get("FEATURES") ?? "").split(",");
Object.defineProperty(navigator, "gpu", { value: lesser(navigator.gpu, { limits, features }), configurable: true });
