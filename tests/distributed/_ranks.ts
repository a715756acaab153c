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

/** Runs a program of this folder's siblings in so many ranks. */
export async function runRanks(launcher: Launcher, count: number, program: URL, args: string[] = []): Promise<Outcome> {
  const [command, ...options] = launcher.command as [string, ...string[]];
  const deno = [Deno.execPath(), "run", "-A", "--no-check", "--quiet", fromFileUrl(program), ...args];
  return await run(command, [...options, "-n", `${count}`, ...deno]);
}

/** Runs it in one process, without a launcher. */
export async function runAlone(program: URL, args: string[] = [], env: Record<string, string> = {}): Promise<Outcome> {
  return await run(Deno.execPath(), ["run", "-A", "--no-check", "--quiet", fromFileUrl(program), ...args], env);
}

async function run(command: string, args: string[], more: Record<string, string> = {}): Promise<Outcome> {
  const start = performance.now();
  // A launcher that is started within another one's environment would take itself for a rank.
  const env = Object.fromEntries(
    Object.entries(Deno.env.toObject()).filter(([name]) => !/^(OMPI|PMI|PMIX|SLURM)_/.test(name)),
  );
  const { code, stdout, stderr } = await new Deno.Command(command, { args, env: { ...env, ...more }, clearEnv: true })
    .output();
  const decoder = new TextDecoder();
  const seconds = (performance.now() - start) / 1000;
  return { code, output: decoder.decode(stdout) + decoder.decode(stderr), seconds };
}
