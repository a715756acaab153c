import { fromFileUrl } from "@std/path";
import type { Line, PyTorchReport } from "./_gpu_report.ts";

/** Options of PyTorch's side. */
export interface PyTorchOptions {
  /** The interpreter. */
  readonly python: string;
  /** torchvision's processes. */
  readonly workers: number;
  /** Small sizes. */
  readonly small: boolean;
  /** The lines whose name holds this. */
  readonly only?: string;
}

/** Runs `pytorch_step.py` and `torchvision_augment.py` one after the other, and puts the views into every mode. */
export async function runPyTorch({ python, workers, small, only = "" }: PyTorchOptions): Promise<PyTorchReport> {
  const views = small ? 64 : 512;
  const steps = await runJson<PyTorchReport>(python, "pytorch_step.py", [
    ...(small ? ["--small"] : []),
    ...(only ? ["--only", only] : []),
  ]);
  const name = `augmentation, ${views} views of 32 px`;
  if (!name.includes(only)) return steps;
  const { ms } = await runJson<{ ms: number }>(python, "torchvision_augment.py", [`${workers}`, `${views}`]);
  const line: Line = { name, ms, images: views };
  const modes = Object.entries(steps.modes).map(([mode, lines]) => [mode, [...lines, line]]);
  return { ...steps, modes: Object.fromEntries(modes) };
}

async function runJson<T>(python: string, script: string, args: readonly string[]): Promise<T> {
  const path = fromFileUrl(new URL(`compare/${script}`, import.meta.url));
  const file = await Deno.makeTempFile({ suffix: ".json" });
  try {
    const command = new Deno.Command(python, { args: [path, ...args, "--json", file], stdout: "null" });
    const { success, code } = await command.spawn().status;
    if (!success) throw new Error(`Cannot compare with PyTorch as ${python} ${script} ended with status ${code}`);
    return JSON.parse(await Deno.readTextFile(file));
  } finally {
    await Deno.remove(file);
  }
}
