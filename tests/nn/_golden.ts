// Networks whose results PyTorch wrote into fixtures (tests/fixtures/README.md). The weights come from a formula that
// Python and TypeScript share.
import { assertEquals } from "@std/assert";
import { type Tensor, tensor } from "../../mod.ts";
import { type Contrastive, contrastive, ResNet, resnet18, resnet50 } from "../../src/nn/mod.ts";
import { LARS, type Optimizer, SGD } from "../../src/optim/mod.ts";
import { images, parameter } from "../fixtures/formula.ts";
import { type Fixture, readFixture } from "../fixtures/read.ts";

/** Contents of a fixture about a network and its runs. */
export interface Config {
  images: string;
  shape: [number, number, number, number, number];
  sigma: number;
  ridge: number;
  parameters: { name: string; shape: number[] }[];
  spread: { z: number; plain: { loss: number; grad: number }; weighted: { loss: number; grad: number } };
  runs: { name: string; optimizer: "SGD" | "LARS"; options: { lr: number }; spread: Record<string, number> }[];
}

/** Networks by name. */
export const NETWORKS = {
  small: {
    file: "resnet_small",
    make: () =>
      contrastive(
        new ResNet({ block: "basic", layers: [1, 1, 1], widths: [16, 32, 64], smallStem: true }, { numClasses: 256 }),
        { projection: 64 },
      ),
  },
  resnet18: { file: "resnet18_cifar", make: () => contrastive(resnet18({ stem: "cifar" })) },
  resnet50: { file: "resnet50", make: () => contrastive(resnet50()) },
} as const;

/** A network of the fixtures. */
export type Name = keyof typeof NETWORKS;

/** The network with the formula's weights, and what the fixture says. */
export function load(name: Name): { model: Contrastive; golden: Fixture; config: Config; views: () => Tensor } {
  const golden = readFixture(NETWORKS[name].file);
  const config = JSON.parse(golden.metadata.config!) as Config;
  const model = NETWORKS[name].make();
  const own = [...model.namedParameters()];
  assertEquals(own.map(([key, { shape }]) => ({ name: key, shape: [...shape] })), config.parameters);
  for (const [key, weight] of own) weight.write(parameter(`${name}/${key}`, weight.shape));
  const pixels = images(config.images, config.shape);
  return { model, golden, config, views: () => tensor(pixels, { shape: config.shape }) };
}

/** The optimizer of a run. */
export function makeOptimizer(kind: "SGD" | "LARS", model: Contrastive, options: { lr: number }): Optimizer {
  return kind === "SGD" ? new SGD(model.parameters(), options) : new LARS(model.parameters(), options);
}
