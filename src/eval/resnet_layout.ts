import { RESNET_LAYOUTS, type ResNetLayout, type ResNetName } from "../nn/mod.ts";
import type { StateDict } from "../weights/mod.ts";

/** The layout that the shapes of a ResNet's weights tell; its stem they do not tell. */
export function resnetLayout(state: StateDict): ResNetLayout {
  const shape = (name: string) => state.get(name)?.shape ?? [];
  const block = state.has("layer1.0.conv3.weight") ? "bottleneck" : "basic";
  const layers: number[] = [];
  const widths: number[] = [];
  for (let stage = 1; state.has(`layer${stage}.0.conv1.weight`); stage++) {
    let blocks = 0;
    while (state.has(`layer${stage}.${blocks}.conv1.weight`)) blocks++;
    layers.push(blocks);
    widths.push(
      block === "basic" ? shape(`layer${stage}.0.conv1.weight`)[0]! : shape(`layer${stage}.0.conv3.weight`)[0]! / 4,
    );
  }
  if (block === "basic") return { block, layers, widths };
  const [inner = 64, perGroup = 64] = shape("layer1.0.conv2.weight");
  const groups = inner / perGroup;
  return { block, layers, widths, groups, widthPerGroup: 64 * perGroup / widths[0]! };
}

/** Name of the layout, torchvision's; null where it has none. */
export function resnetName(layout: ResNetLayout): ResNetName | null {
  const names = Object.keys(RESNET_LAYOUTS) as ResNetName[];
  return names.find((name) => signature(RESNET_LAYOUTS[name]) === signature(layout)) ?? null;
}

function signature({ block, layers, groups = 1, widthPerGroup = 64, widths = [64, 128, 256, 512] }: ResNetLayout) {
  return `${block} ${layers} ${widths} ${groups} ${widthPerGroup}`;
}
