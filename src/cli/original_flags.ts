import type { Flag } from "./arguments.ts";

/** Flags of the original that describe several processes. */
const PROCESSES = ["world_size", "rank", "dist_url", "dist_backend", "multiprocessing_distributed"] as const;

const group = "Flags of the original without effect here";
const help = "accepted";

/** Flags of the original that are accepted, so that its commands run, and do nothing. */
export const ORIGINAL_FLAGS = {
  gpu: { type: "string", help, group },
  world_size: { type: "string", help, group },
  rank: { type: "string", help, group },
  dist_url: { type: "string", help, group },
  dist_backend: { type: "string", help, group },
  multiprocessing_distributed: { type: "boolean", help, group },
} as const satisfies Record<string, Flag>;

/** Sentences about flags that were given for nothing. */
export function withoutEffect(args: readonly string[]): string[] {
  const processes = PROCESSES.filter((name) => isGiven(args, name)).map((name) =>
    `--${name.replaceAll("_", "-")} has no effect here: MPI starts the processes, one a GPU: ` +
    "mpirun -n 4 --bind-to none deno run -A PROGRAM --distributed (docs/distributed.md)"
  );
  if (!isGiven(args, "gpu")) return processes;
  return [
    "--gpu has no effect here: WebGPU takes the adapter that the system prefers (set MESA_VK_DEVICE_SELECT or " +
    "VK_DRIVER_FILES to choose another)",
    ...processes,
  ];
}

/** Whether a flag was given, with underscores or hyphens. */
export function isGiven(args: readonly string[], name: string): boolean {
  return args.some((arg) => arg.replace(/=.*/s, "").replaceAll("-", "_") === `__${name}`);
}
