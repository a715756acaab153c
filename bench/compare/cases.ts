/** One thing that all libraries do: on given numbers, to a given result. */
export interface Case {
  /** Name of the work and its size. */
  readonly name: string;
  /** Arithmetic of one run, in GFLOP; 0 where memory decides. */
  readonly gflop: number;
  /** Number of timings, for each library. */
  readonly runs: number;
  /** Number of runs in one timing: small work is started several times and waited for once, as training does. */
  readonly repeat: number;
}

/** The cases, by a short id that the libraries' files use. */
export const CASES = {
  matmul512: { name: "matmul 512 x 512 x 512", gflop: 0.268, runs: 9, repeat: 4 },
  matmul1024: { name: "matmul 1024 x 1024 x 1024", gflop: 2.147, runs: 5, repeat: 1 },
  conv64: { name: "conv2d 3x3 forward, 16 x 32 x 32, 64 to 64", gflop: 1.208, runs: 5, repeat: 1 },
  conv64grad: { name: "conv2d 3x3 forward + backward, 16 x 32 x 32, 64 to 64", gflop: 3.624, runs: 3, repeat: 1 },
  conv256: { name: "conv2d 3x3 forward, 16 x 8 x 8, 256 to 256", gflop: 1.208, runs: 5, repeat: 1 },
  conv256grad: { name: "conv2d 3x3 forward + backward, 16 x 8 x 8, 256 to 256", gflop: 3.624, runs: 3, repeat: 1 },
  batchNorm: { name: "batchNorm + ReLU forward + backward [16, 32, 32, 64]", gflop: 0, runs: 5, repeat: 2 },
  rbf: { name: "RBF Gram matrix 256 from [256, 2048]", gflop: 0.402, runs: 7, repeat: 4 },
  loss: { name: "decoupled uniformity forward + backward [256, 2, 256]", gflop: 0, runs: 7, repeat: 8 },
} as const satisfies Record<string, Case>;

/** Name of a case. */
export type CaseId = keyof typeof CASES;

/** A library under test: makes a function a case that runs it once and resolves, when the device is done, to a checksum. */
export interface Peer {
  readonly name: string;
  readonly cases: { readonly [id in CaseId]?: () => Promise<number> };
}

/** Makes the same numbers for all libraries: uniform in [-1, 1), from a 32-bit generator. */
export function numbers(count: number, seed: number): Float32Array<ArrayBuffer> {
  let state = seed * 2654435761 + 1;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return state / 2 ** 31;
  });
}
