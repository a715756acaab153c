import { defineProgram } from "../../device/mod.ts";
import { lib_flat, lib_length, lib_rows } from "../../shaders/lib.ts";
import { view_centroids as code } from "../../shaders/pairs.ts";
import { defineOp } from "../../autograd/mod.ts";
import { Tensor } from "../../tensor/mod.ts";
import { checkFloat } from "../shared/check.ts";
import { laneForm } from "../shared/lanes.ts";
import { rowConstants } from "../shared/rows.ts";

function program(entryPoint: string) {
  return defineProgram({ name: "viewCentroids", code: [lib_flat, lib_rows, lib_length, code], entryPoint });
}

const INVERSE_NORMS = program("inverse_norms");
const CENTROIDS = program("centroids");
const PROJECTIONS = program("projections");
const GRAD = program("grad");

const viewCentroidsOp = defineOp<[Tensor], null>({
  name: "viewCentroids",
  forward(context, [z]) {
    const { device } = z;
    const [batch, views, features] = z.shape as [number, number, number];
    const rows = batch * views;
    const params = { rows, views, features };
    const inverse = new Tensor(device, [rows]);
    const c = new Tensor(device, [batch, features]);
    const constants = rowConstants(device, features);
    device.dispatch(laneForm(device, INVERSE_NORMS, constants.LANES), {
      params,
      buffers: { 1: z.storage, 2: inverse.storage },
      workgroups: device.groups(rows, constants.ROWS),
      constants,
    });
    device.dispatch(CENTROIDS, {
      params,
      buffers: { 1: z.storage, 2: inverse.storage, 3: c.storage },
      workgroups: device.groups(batch * features, 64),
    });
    context.save(z, inverse);
    return c;
  },
  backward({ saved: [z, inverse] }, grad) {
    const { device } = z!;
    const [batch, views, features] = z!.shape as [number, number, number];
    const rows = batch * views;
    const params = { rows, views, features };
    const along = new Tensor(device, [rows]);
    const gradZ = new Tensor(device, z!.shape);
    const inputs = { 1: z!.storage, 2: inverse!.storage, 4: grad.storage, 5: along.storage };
    const constants = rowConstants(device, features);
    device.dispatch(laneForm(device, PROJECTIONS, constants.LANES), {
      params,
      buffers: inputs,
      workgroups: device.groups(rows, constants.ROWS),
      constants,
    });
    device.dispatch(GRAD, {
      params,
      buffers: { ...inputs, 6: gradZ.storage },
      workgroups: device.groups(rows * features, 64),
    });
    return [gradZ];
  },
});

/**
 * Centroids of the unit-length views of each sample: `c[b] = mean_v z[b, v] / max(‖z[b, v]‖, 10⁻¹²)`, not normalised
 * again, so `‖c[b]‖ ≤ 1` with equality when all views of a sample point the same way.
 *
 * A view shorter than 10⁻¹² has no direction: its gradient is 0 (PyTorch's `normalize` multiplies it by 10¹² instead).
 *
 * @param z Embeddings of the views, f32 `[batch, views, features]`, views ≥ 1, any length.
 * @returns Centroids, f32 `[batch, features]`.
 * @throws {TypeError} If the rank is not 3 or the dtype not f32.
 * @throws {RangeError} If there are no views.
 *
 * @example Usage
 * ```ts
 * import { Device, tensor } from "@decoupled/uniformity";
 * import { viewCentroids } from "@decoupled/uniformity/ops";
 * import { assertEquals } from "@std/assert";
 *
 * await using _device = await Device.open();
 * const z = tensor([[[3, 0], [0, 5]]]); // one sample, two views
 * assertEquals(await viewCentroids(z).data(), new Float32Array([0.5, 0.5]));
 * ```
 */
export function viewCentroids(z: Tensor): Tensor<"f32"> {
  if (z.rank !== 3) {
    throw new TypeError(`Cannot compute viewCentroids() as z must be [batch, views, features]: got z [${z.shape}]`);
  }
  checkFloat("viewCentroids", z);
  if (z.shape[1] === 0) {
    throw new RangeError(`Cannot compute viewCentroids() as a sample needs at least 1 view: got z [${z.shape}]`);
  }
  return viewCentroidsOp([z], null);
}
