// Starts ranks with the MPI launcher of this machine.
import { fromFileUrl } from "@std/path";

interface Way extends Launcher {
  /** Found in what the program says of itself. */
  readonly sign: RegExp;
}

export interface Launcher {
  readonly library: string;
  readonly command: readonly string[];
}

/** OpenMPI binds a rank to one core by default: Deno and the software adapter would then share it. */
const OPEN_MPI = ["--allow-run-as-root", "--oversubscribe", "--bind-to", "none"];
const WAYS: readonly Way[] = [
  { library: "OpenMPI", command: ["mpirun.openmpi", ...OPEN_MPI], sign: /Open MPI|OpenRTE/ },
  { library: "OpenMPI", command: ["mpirun", ...OPEN_MPI], sign: /Open MPI|OpenRTE/ },
  { library: "MPICH", command: ["mpiexec.hydra"], sign: /HYDRA/i },
];

/** The launchers that are installed, one a library. */
export const launchers: readonly Launcher[] = WAYS.filter(isInstalled)
  .filter(({ library }, i, found) => found.findIndex((other) => other.library === library) === i);

function isInstalled({ command: [program], sign }: Way): boolean {
  try {
    const { stdout, stderr } = new Deno.Command(program!, { args: ["--version"] }).outputSync();
    return sign.test(new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Ends the names of tests that need MPI where there is none. */
export const without = launchers.length === 0 ? " (skipped: no MPI is installed)" : "";

export interface Outcome {
  readonly code: number;
  readonly output: string;
  readonly seconds: number;
}

/** Runs a program in so many ranks. */
export async function runRanks(
  launcher: Launcher,
  count: number,
  program: URL,
  args: string[] = [],
  env: Record<string, string> = {},
): Promise<Outcome> {
  return await outcomeOf(spawnRanks(launcher, count, program, args, env));
}

/** Starts a program in so many ranks. */
export function spawnRanks(
  launcher: Launcher,
  count: number,
  program: URL,
  args: string[] = [],
  env: Record<string, string> = {},
): Deno.ChildProcess {
  const [command, ...options] = launcher.command as [string, ...string[]];
  return spawn(command, [...options, "-n", `${count}`, Deno.execPath(), ...denoArgs(program, args)], env);
}

/** The processes that a launcher started, by the number of their rank; on Linux. */
export async function processesOf(launcher: Deno.ChildProcess): Promise<Map<number, number>> {
  const parents = new Map<number, number>();
  const ranks = new Map<number, number>();
  for await (const { name } of Deno.readDir("/proc")) {
    const stat = await Deno.readTextFile(`/proc/${name}/stat`).catch(() => "");
    const parent = /^(\d+) \(.*\) \S (\d+)/s.exec(stat);
    if (parent) parents.set(Number(parent[1]), Number(parent[2]));
  }
  for (const pid of parents.keys()) {
    let ancestor: number | undefined = pid;
    while (ancestor !== undefined && ancestor !== launcher.pid) ancestor = parents.get(ancestor);
    const environment = ancestor && await Deno.readTextFile(`/proc/${pid}/environ`).catch(() => "");
    const rank = environment && /(?:^|\0)(?:OMPI_COMM_WORLD_RANK|PMI_RANK)=(\d+)/.exec(environment);
    if (rank) ranks.set(Number(rank[1]), pid);
  }
  return ranks;
}

/** Runs it in one process, without a launcher. */
export async function runAlone(program: URL, args: string[] = [], env: Record<string, string> = {}): Promise<Outcome> {
  return await outcomeOf(spawn(Deno.execPath(), denoArgs(program, args), env));
}

function denoArgs(program: URL, args: readonly string[]): string[] {
  return ["run", "-A", "--no-check", "--quiet", fromFileUrl(program), ...args];
}

function spawn(command: string, args: string[], more: Record<string, string> = {}): Deno.ChildProcess {
  // A launcher that is started within another one's environment would take itself for a rank.
  const env = Object.fromEntries(
    Object.entries(Deno.env.toObject()).filter(([name]) => !/^(OMPI|PMI|PMIX|SLURM)_/.test(name)),
  );
  const options = { args, env: { ...env, ...more }, clearEnv: true, stdout: "piped", stderr: "piped" } as const;
  return new Deno.Command(command, options).spawn();
}

async function outcomeOf(process: Deno.ChildProcess): Promise<Outcome> {
  const start = performance.now();
  const { code, stdout, stderr } = await process.output();
  const decoder = new TextDecoder();
  const seconds = (performance.now() - start) / 1000;
  return { code, output: decoder.decode(stdout) + decoder.decode(stderr), seconds };
}
