/** The functions of MPI that are used. Handles are integers of MPICH and addresses of OpenMPI: both fit a register. */
const SYMBOLS = {
  MPI_Init_thread: { parameters: ["pointer", "pointer", "i32", "buffer"], result: "i32" },
  MPI_Finalize: { parameters: [], result: "i32" },
  MPI_Comm_rank: { parameters: ["usize", "buffer"], result: "i32" },
  MPI_Comm_size: { parameters: ["usize", "buffer"], result: "i32" },
  MPI_Get_library_version: { parameters: ["buffer", "buffer"], result: "i32" },
  MPI_Get_processor_name: { parameters: ["buffer", "buffer"], result: "i32" },
  MPI_Ibarrier: { parameters: ["usize", "buffer"], result: "i32" },
  MPI_Test: { parameters: ["buffer", "buffer", "usize"], result: "i32" },
  MPI_Bcast: { parameters: ["buffer", "i32", "usize", "i32", "usize"], result: "i32" },
  MPI_Allreduce: { parameters: ["usize", "buffer", "i32", "usize", "usize", "usize"], result: "i32" },
  MPI_Iallreduce: { parameters: ["usize", "buffer", "i32", "usize", "usize", "usize", "buffer"], result: "i32" },
  MPI_Allgather: { parameters: ["buffer", "i32", "usize", "buffer", "i32", "usize", "usize"], result: "i32" },
  /** Waits in a thread of its own, which drives the reduction while this thread goes on. */
  MPI_Wait: { parameters: ["buffer", "usize"], result: "i32", nonblocking: true },
  MPI_Abort: { parameters: ["usize", "i32"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

const OPEN_MPI_HANDLES = {
  ompi_mpi_comm_world: { type: "pointer" },
  ompi_mpi_byte: { type: "pointer" },
  ompi_mpi_float: { type: "pointer" },
  ompi_mpi_double: { type: "pointer" },
  ompi_mpi_op_sum: { type: "pointer" },
  ompi_mpi_op_min: { type: "pointer" },
  ompi_mpi_op_max: { type: "pointer" },
} as const satisfies Deno.ForeignLibraryInterface;

/** Constants, which differ between the two families of libraries. */
export interface MpiHandles {
  readonly world: bigint;
  readonly byte: bigint;
  readonly float: bigint;
  readonly double: bigint;
  readonly sum: bigint;
  readonly min: bigint;
  readonly max: bigint;
  /** Source that stands for the target: `MPI_IN_PLACE`. */
  readonly inPlace: bigint;
  /** Status where none is wanted: `MPI_STATUS_IGNORE`. */
  readonly noStatus: bigint;
}

/** Handles of MPICH 3 and later, and of what shares its binary interface (Intel MPI, MVAPICH, Cray MPI). */
const MPICH: MpiHandles = {
  world: 0x44000000n,
  byte: 0x4c00010dn,
  float: 0x4c00040an,
  double: 0x4c00080bn,
  sum: 0x58000003n,
  min: 0x58000002n,
  max: 0x58000001n,
  inPlace: 0xffffffffffffffffn,
  noStatus: 1n,
};

/** An MPI library that was opened. */
export interface MpiLibrary {
  /** Functions of the library. */
  readonly functions: Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];
  /** Handles of its communicators, types and operations. */
  readonly handles: MpiHandles;
  /** File that the library was opened from. */
  readonly path: string;
}

/** The two families. */
export type MpiFamily = "openmpi" | "mpich";

const NAMES: Readonly<Record<MpiFamily, readonly string[]>> = {
  openmpi: ["libmpi.so.40", "libmpi.40.dylib", "libmpi.so.80"],
  mpich: ["libmpich.so.12", "libmpi.so.12", "libmpi.12.dylib", "libmpi_cray.so.12"],
};

/**
 * Opens an MPI library: of the family whose launcher started this process, or the file that `MPI_LIBRARY` names.
 *
 * @param env Environment; that of the process by default.
 * @throws {Error} If none can be opened; the message says what was tried.
 */
export function openMpiLibrary(
  families: readonly MpiFamily[],
  env: (name: string) => string | undefined = (name) => Deno.env.get(name),
): MpiLibrary {
  const given = env("MPI_LIBRARY");
  const paths = given ? [given] : families.flatMap((family) => NAMES[family]);
  const failures: string[] = [];
  for (const path of paths) {
    try {
      const functions = Deno.dlopen(path, SYMBOLS).symbols;
      return { functions, handles: openMpiHandles(path) ?? MPICH, path };
    } catch (error) {
      failures.push(error instanceof Error ? error.message : String(error));
    }
  }
  throw new Error(
    `Cannot load MPI as none of ${paths.join(", ")} can be opened: install openmpi-bin and libopenmpi3, or mpich, or ` +
      `set MPI_LIBRARY to the file of the library (${failures[0]})`,
  );
}

/** Constants of OpenMPI, which are addresses in the library; null for another library. */
function openMpiHandles(path: string): MpiHandles | null {
  try {
    const at = Deno.dlopen(path, OPEN_MPI_HANDLES).symbols;
    const address = (pointer: Deno.PointerValue) => BigInt(Deno.UnsafePointer.value(pointer));
    return {
      world: address(at.ompi_mpi_comm_world),
      byte: address(at.ompi_mpi_byte),
      float: address(at.ompi_mpi_float),
      double: address(at.ompi_mpi_double),
      sum: address(at.ompi_mpi_op_sum),
      min: address(at.ompi_mpi_op_min),
      max: address(at.ompi_mpi_op_max),
      inPlace: 1n,
      noStatus: 0n,
    };
  } catch (error) {
    if (error instanceof Error && /ompi_mpi/.test(error.message)) return null;
    throw error;
  }
}
