import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { launchers, runAlone, runRanks, without } from "./_ranks.ts";

const program = new URL("_collectives.ts", import.meta.url);

Deno.test({
  name: `Mpi is tested with the libraries of this machine${without}`,
  ignore: launchers.length === 0,
  fn: () => assert(launchers.length > 0),
});

for (const launcher of launchers) {
  for (const ranks of [1, 2, 3]) {
    Deno.test(`Mpi gives ${ranks} ranks of ${launcher.library} the results of every collective`, async () => {
      const { code, output } = await runRanks(launcher, ranks, program);
      assertEquals(code, 0, output);
      assertStringIncludes(output, `${ranks} ranks of `);
    });
  }

  for (const end of ["throw", "exit", "exit 0", "kill", "abort"]) {
    Deno.test(`Mpi of ${launcher.library} ends all ranks in seconds when one ends by ${end}`, async () => {
      const { code, seconds } = await runRanks(launcher, 2, program, [end]);
      assert(code !== 0);
      assert(seconds < 20, `it took ${seconds} s`);
    });
  }
}

Deno.test({
  name: `openCommunicator() refuses processes that MPI does not connect${without}`,
  ignore: launchers.length === 0,
  async fn() {
    const { code, output } = await runAlone(program, [], { SLURM_PROCID: "0", SLURM_STEP_NUM_TASKS: "3" });
    assert(code !== 0);
    assertStringIncludes(output, "Cannot run distributed as srun started 3 processes but MPI");
  },
});
