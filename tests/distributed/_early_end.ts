// A program whose second rank ends before it joins the others, as the argument says.
import { runMain } from "../../src/cli/mod.ts";
import { openCommunicator } from "../../src/distributed/mod.ts";

await runMain(async ([end]) => {
  const rank = Number(Deno.env.get("PMI_RANK") ?? Deno.env.get("OMPI_COMM_WORLD_RANK"));
  if (rank === 1 && end === "library") Deno.env.set("MPI_LIBRARY", "/absent.so");
  if (rank === 1 && end === "throw") throw new Error("the reason");
  if (rank === 1 && end !== "library") Deno.exit(end === "exit 0" ? 0 : 3);
  const group = openCommunicator({ required: true });
  await group.barrier();
  group.close();
});
