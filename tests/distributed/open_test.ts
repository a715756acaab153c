import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  checkAgreement,
  launchOf,
  openCommunicator,
  shareOf,
  SingleProcess,
  totals,
} from "../../src/distributed/mod.ts";
import { openMpiLibrary } from "../../src/distributed/mpi_library.ts";

function environment(values: Record<string, string>): (name: string) => string | undefined {
  return (name) => values[name];
}

Deno.test("launchOf() finds out which launcher started the process", () => {
  assertEquals(launchOf(environment({})), null);
  const mpirun = launchOf(environment({ OMPI_COMM_WORLD_RANK: "1", OMPI_COMM_WORLD_SIZE: "4", PMIX_RANK: "1" }));
  assertEquals(mpirun, { launcher: "mpirun", families: ["openmpi"], size: 4 });
  const mpiexec = launchOf(environment({ PMI_RANK: "0", PMI_SIZE: "2" }));
  assertEquals(mpiexec, { launcher: "mpiexec", families: ["mpich", "openmpi"], size: 2 });
  const srun = launchOf(environment({ SLURM_PROCID: "0", SLURM_STEP_NUM_TASKS: "8", PMI_RANK: "0" }));
  assertEquals(srun, { launcher: "srun", families: ["openmpi", "mpich"], size: 8 });
  assertEquals(launchOf(environment({ PMIX_RANK: "0" }))?.size, null);
});

Deno.test("openCommunicator() is one process without a launcher, and refuses that where MPI is required", () => {
  const env = environment({});
  assertEquals(openCommunicator({ env }).size, 1);
  assertThrows(
    () => openCommunicator({ env, required: true }),
    Error,
    "Cannot run distributed as no MPI launcher started this process: use mpirun",
  );
});

Deno.test("openMpiLibrary() says what it tried", () => {
  assertThrows(
    () => openMpiLibrary(["openmpi"], environment({ MPI_LIBRARY: "/nowhere/libmpi.so" })),
    Error,
    "Cannot load MPI as none of /nowhere/libmpi.so can be opened: install openmpi-bin",
  );
});

Deno.test("SingleProcess gives back what it was given", async () => {
  const alone = new SingleProcess();
  const x = Float32Array.of(1, 2);
  await alone.barrier();
  alone.broadcast();
  alone.allReduce();
  await alone.startAllReduce();
  assertEquals([...new Float32Array(alone.allGather(x).buffer)], [1, 2]);
  assertEquals(totals(alone, [3]), [3]);
  checkAgreement(alone, { lr: "0.3" });
  alone.close();
});

Deno.test("shareOf() cuts things into parts that differ by one at most, without gap or overlap", () => {
  for (const size of [1, 2, 3, 7]) {
    for (const count of [0, 1, 5, 14, 100]) {
      const parts = Array.from({ length: size }, (_, rank) => shareOf({ rank, size }, count));
      assertEquals(parts.map(([from]) => from), [0, ...parts.slice(0, -1).map(([, to]) => to)]);
      assertEquals(parts.at(-1)![1], count);
      const lengths = parts.map(([from, to]) => to - from);
      assert(Math.max(...lengths) - Math.min(...lengths) <= 1);
    }
  }
});
