/**
 * Encoders of other programs, whose outputs are priors: GLoRIA's, vision transformers (ViT, CLIP's, DINOv2), and
 * any in an ONNX file.
 *
 * @module
 */
export { type GloriaEncoder, type GloriaOptions, loadGloria } from "./gloria.ts";
export type { ImageEncoder, Normalization } from "./image_encoder.ts";
export { type OnnxEncoder, type OnnxOptions, openBigBiGan, openOnnx } from "./onnx.ts";
export type { ImageLayout } from "./onnx_session.ts";
export { loadVit, type VitEncoder, type VitEncoderOptions } from "./vit.ts";
export { writeOnnx, type WriteOnnxOptions } from "./write_onnx.ts";
