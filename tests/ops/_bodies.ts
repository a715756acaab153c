// The bodies of products that the adapter at hand can run in a reasonable time.
import type { Device } from "../../src/device/mod.ts";
import type { BodyName } from "../../src/ops/_bodies.ts";

/** Names for `withBody()`: all, but on the lavapipe of Debian 12, which lacks subgroups and takes minutes to compile tiles. */
export function bodiesOn(device: Device): readonly BodyName[] {
  const { family, subgroupSize } = device.info;
  if (family === "gpu") return ["rows", "tile64", "tile128"];
  return subgroupSize === 8 ? ["subgroup", "rows", "tile64", "tile128"] : ["rows"];
}
