/**
 * Data-parallel work of several processes, one a GPU, over MPI.
 *
 * @module
 */
export {
  broadcastJson,
  checkAgreement,
  firstBeforeOthers,
  gatherBytes,
  gatherNumbers,
  gatherOnFirst,
  means,
  shareOf,
  totals,
} from "./collectives.ts";
export type { Communicator, Reduction, Traffic } from "./communicator.ts";
export { Exchange } from "./exchange.ts";
export { GradientBuckets, type GradientBucketsOptions, type GradientReduction } from "./gradient_buckets.ts";
export { Mpi } from "./mpi.ts";
export type { MpiFamily } from "./mpi_library.ts";
export { abortUnjoined, type Launch, launchOf, openCommunicator, type OpenOptions } from "./open.ts";
export { SingleProcess } from "./single_process.ts";
