import { parseDecimal } from "../formats/internal.ts";
import type { Communicator } from "./communicator.ts";
import { Mpi } from "./mpi.ts";
import type { MpiFamily } from "./mpi_library.ts";
import { groupOf } from "./single_process.ts";
import { checkOptions } from "../tensor/internal.ts";

/** Facts that a launcher gave this process through its environment. */
export interface Launch {
  /** Name of the launcher, for messages. */
  readonly launcher: string;
  /** Libraries that go with the launcher, the likelier one first. */
  readonly families: readonly MpiFamily[];
  /** Processes that it started, where it says so. */
  readonly size: number | null;
}

/** Options of {@linkcode openCommunicator}. */
export interface OpenOptions {
  /** Fail when no launcher started this process; false by default: it is then alone. */
  readonly required?: boolean;
  /** Environment; that of the process by default. */
  readonly env?: (name: string) => string | undefined;
}

/**
 * Joins the processes that `mpirun`, `mpiexec` or `srun` started; without a launcher, one process alone.
 *
 * @throws {Error} If there was a launcher but no MPI library, or the launcher started more processes than MPI sees.
 */
export function openCommunicator(options: OpenOptions = {}): Communicator {
  checkOptions("openCommunicator()", options, ["required", "env"]);
  const launch = launchOf(options.env);
  if (!launch) {
    if (!options.required) return groupOf({});
    throw new Error(
      "Cannot run distributed as no MPI launcher started this process: use mpirun -n 4 deno run -A PROGRAM --distributed " +
        "(install openmpi-bin or mpich for mpirun; srun works too)",
    );
  }
  const mpi = new Mpi(launch.families);
  if (launch.size !== null && launch.size !== mpi.size) {
    throw new Error(
      `Cannot run distributed as ${launch.launcher} started ${launch.size} processes but MPI (${mpi.library}) sees ` +
        `${mpi.size}: use the launcher of that library, srun --mpi=pmix or --mpi=pmi2, or set MPI_LIBRARY`,
    );
  }
  return mpi;
}

/**
 * Ends the other processes of the launcher when this one fails before it joined them: MPICH's launcher lets them wait
 * for it otherwise. Does nothing where there are none, or where this one has joined.
 *
 * @param status What the process ends with.
 */
export function abortUnjoined(status: number): void {
  try {
    const launch = launchOf();
    if (!launch || launch.size === 1 || Mpi.started) return;
    try {
      new Mpi(launch.families).abort(status);
    } catch {
      const { state } = Deno.permissions.querySync({ name: "run" }); // it would be asked for
      // A signal is what that launcher notices, as no status.
      if (launch.launcher === "mpiexec" && state === "granted") Deno.kill(Deno.pid, "SIGKILL");
    }
  } catch {
    // the reason that matters was told already
  }
}

/** Finds out who started this process; null when nobody that knows of MPI did. */
export function launchOf(env: (name: string) => string | undefined = (name) => Deno.env.get(name)): Launch | null {
  const found = (launcher: string, families: readonly MpiFamily[], size: string): Launch => {
    const value = env(size);
    return { launcher, families, size: value === undefined ? null : parseDecimal(value) ?? NaN };
  };
  if (env("OMPI_COMM_WORLD_RANK") !== undefined) return found("mpirun", ["openmpi"], "OMPI_COMM_WORLD_SIZE");
  const slurm = env("SLURM_PROCID") !== undefined && env("SLURM_STEP_NUM_TASKS") !== undefined;
  if (slurm) return found("srun", ["openmpi", "mpich"], "SLURM_STEP_NUM_TASKS");
  if (env("PMI_RANK") !== undefined) return found("mpiexec", ["mpich", "openmpi"], "PMI_SIZE");
  if (env("PMIX_RANK") !== undefined) {
    return { launcher: "a PMIx launcher", families: ["openmpi", "mpich"], size: null };
  }
  return null;
}
