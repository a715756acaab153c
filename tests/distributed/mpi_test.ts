import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { withStartWatch } from "../../src/distributed/start_watch.ts";
import { launchers, runAlone, runRanks, without } from "./_ranks.ts";

const early = new URL("_early_end.ts", import.meta.url);
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

  Deno.test(`a rank of ${launcher.library} that fails before it joined the others ends them at once`, async () => {
    const { code, output, seconds } = await runRanks(launcher, 3, early, ["throw"]);
    assert(code !== 0);
    assertStringIncludes(output, "error: the reason");
    assert(seconds < 20, `it took ${seconds} s`);
  });

  Deno.test(`a rank of ${launcher.library} that finds no MPI library ends the others at once`, async () => {
    const { code, output, seconds } = await runRanks(launcher, 2, early, ["library"]);
    assert(code !== 0);
    assertStringIncludes(output, "error: Cannot load MPI as none of /absent.so can be opened");
    assert(seconds < 20, `it took ${seconds} s`);
  });

  for (const end of ["exit 3", "exit 0"]) {
    Deno.test(`ranks of ${launcher.library} do not wait for ever for one that ended by ${end}`, async () => {
      const { code, output, seconds } = await runRanks(launcher, 2, early, [end], { MPI_START_SECONDS: "2" });
      assert(code !== 0);
      if (launcher.library === "MPICH") { // OpenMPI notices by itself, mostly
        assertStringIncludes(
          output,
          "error: Cannot start MPI as other ranks did not come within 2 s: did one end before?",
        );
      }
      assert(seconds < 20, `it took ${seconds} s`);
    });
  }
}

Deno.test("withStartWatch() refuses times that are none, and gives what was started otherwise", () => {
  for (const text of ["", "0", "-1", "soon", "1e9"]) {
    const message = `MPI_START_SECONDS must be a positive number of seconds: got "${text}"`;
    assertThrows(() => withStartWatch(() => {}, () => text), RangeError, message);
  }
  assertEquals(withStartWatch(() => 7, () => undefined), 7);
});

Deno.test({
  name: `openCommunicator() refuses processes that MPI does not connect${without}`,
  ignore: launchers.length === 0,
  async fn() {
    const { code, output } = await runAlone(program, [], { SLURM_PROCID: "0", SLURM_STEP_NUM_TASKS: "3" });
    assert(code !== 0);
    assertStringIncludes(output, "Cannot run distributed as srun started 3 processes but MPI");
  },
});
