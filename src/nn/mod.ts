/**
 * Layers and networks: `Module` and its state, convolution, linear, batch normalisation, torchvision's ResNets, vision
 * transformers, ConvNeXts, and the encoder with projection head of the paper.
 *
 * @module
 */
export { checkpoint } from "../autograd/mod.ts";
export { GELU, Hardswish, LeakyReLU, ReLU, Sigmoid, SiLU, Softplus, Tanh } from "./activations.ts";
export { Backbone } from "./backbone.ts";
export { BatchNorm2d, type BatchNorm2dOptions, type BatchNormFusion } from "./batch_norm2d.ts";
export { Contrastive, contrastive, type ContrastiveOptions } from "./contrastive.ts";
export { Conv2d, type Conv2dLayerOptions } from "./conv2d.ts";
export { ConvNext, type ConvNextLayout, type ConvNextOptions } from "./convnext.ts";
export { convnext, CONVNEXT_NAMES, type ConvNextName } from "./convnexts.ts";
export { ConvTranspose2d, type ConvTranspose2dLayerOptions } from "./conv_transpose2d.ts";
export { DropPath, type DropPathOptions } from "./drop_path.ts";
export { Embedding, type EmbeddingLayerOptions } from "./embedding.ts";
export { defaultInit, fanIn, fanOut, type InitOptions, kaimingNormal, type WeightInit } from "./init.ts";
export { LayerNorm, type LayerNormLayerOptions } from "./layer_norm.ts";
export { Linear, type LinearOptions } from "./linear.ts";
export { MaxPool2d, type Pool2dLayerOptions } from "./max_pool2d.ts";
export { Lambda } from "./lambda.ts";
export { type ForwardHook, Module } from "./module.ts";
export { Sequential } from "./sequential.ts";
export { Counter, Draws, Parameter, Table } from "./parameter.ts";
export { ResNet, type ResNetLayout, type ResNetOptions, type Stem } from "./resnet.ts";
export {
  resnet,
  resnet101,
  resnet152,
  resnet18,
  resnet34,
  resnet50,
  RESNET_LAYOUTS,
  RESNET_NAMES,
  type ResNetName,
  resnext50,
  wideResnet50x2,
} from "./resnets.ts";
export type { StateLayout, StateValue } from "./_state_layout.ts";
export { type Summary, summary, type SummaryRow } from "./summary.ts";
export { syncBatchNorm } from "./sync_batch_norm.ts";
export { withoutTracking } from "./without_tracking.ts";
export { Vit, type VitLayout, type VitOptions } from "./vit.ts";
export { vit, VIT_NAMES, type VitName } from "./vits.ts";
