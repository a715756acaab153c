/**
 * Encoders of other programs, whose outputs are priors: GLoRIA's, vision transformers (ViT, CLIP's, DINOv2),
 * ConvNeXts, and any in an ONNX file.
 *
 * @module
 */
export { type GloriaEncoder, type GloriaOptions, loadGloria } from "./gloria.ts";
export type { ImageEncoder, Normalization } from "./image_encoder.ts";
export { type OnnxEncoder, type OnnxOptions, openBigBiGan, openOnnx } from "./onnx.ts";
export type { ImageLayout } from "./onnx_session.ts";
export type { NetworkEncoder, NetworkEncoderOptions } from "./network_encoder.ts";
export { loadVit, type VitEncoder, type VitEncoderOptions } from "./vit.ts";
export { loadWeights } from "./weights.ts";
export { writeOnnx, type WriteOnnxOptions } from "./write_onnx.ts";
