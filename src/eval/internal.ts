// What other folders use beside mod.ts; not part of the package's interface.
export { checkFinite } from "./check_finite.ts";
export { classCounts } from "./class_labels.ts";
export { checkFittedOn, inOrderOf } from "./classifier_file.ts";
export { encodeForFrozenSgd, FROZEN_SGD } from "./frozen_sgd.ts";
export { kernelNeighbours, PICTURE, picturesOf } from "./kernel_neighbours.ts";
export { someFeatures } from "./some_features.ts";
export { marginScores } from "./task.ts";
