// Features of images as priors: encoders, and the program that writes their outputs.
export { type GloriaEncoder, type GloriaOptions, loadGloria } from "./gloria.ts";
export type { ImageEncoder, Normalization } from "./image_encoder.ts";
export { type MadeFeatures, makeFeatures, type MakeFeaturesOptions } from "./make_features.ts";
export { type OnnxEncoder, type OnnxOptions, openBigBiGan, openOnnx } from "./onnx.ts";
export type { Layout } from "./onnx_session.ts";
