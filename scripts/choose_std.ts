/**
 * Chooses where `@std` comes from: prints the name of a configuration without the stand-ins of `links/` where JSR
 * answers, and nothing where it does not. `./dev` runs it, with `--no-config`; Deno has no setting for this
 * (docs/portability.md, "Without JSR").
 *
 *     deno run -A --no-config scripts/choose_std.ts [seconds to wait]
 */
const NAME = "deno.jsr.json";
const SECONDS = 5;

/** Tells whether JSR serves a package within some seconds. */
async function jsrAnswers(seconds: number): Promise<boolean> {
  const timeout = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => timeout.resolve(false), 1000 * seconds);
  const specifier = "jsr:@std/path@^1"; // a variable, so that it is asked for now and not before this module starts
  const answer = import(specifier).then(() => true, () => false);
  const answers = await Promise.race([answer, timeout.promise]);
  clearTimeout(timer);
  return answers;
}

/** The commands of a task, with this configuration. */
function withConfig(command: string): string {
  return command.replaceAll(/\bdeno (bench|check|run|task|test)\b/g, `$& --config ${NAME}`);
}

/** Writes the configuration: that of the repository, without stand-ins, with a lock of its own that starts from ours. */
async function write(): Promise<void> {
  const config = JSON.parse(await Deno.readTextFile("deno.json"));
  const lock = NAME.replace(".json", ".lock");
  config.workspace = config.workspace.filter((member: string) => !member.startsWith("./links/"));
  config.lock = lock;
  for (const task of Object.values<{ command: string }>(config.tasks ?? {})) task.command = withConfig(task.command);
  await Deno.copyFile("deno.lock", lock);
  await Deno.writeTextFile(NAME, JSON.stringify(config, null, 2) + "\n");
}

if (import.meta.main) {
  Deno.chdir(new URL("..", import.meta.url));
  if (await jsrAnswers(Number(Deno.args[0] ?? SECONDS))) {
    await write();
    console.log(NAME);
  }
  Deno.exit(); // an import that never ends would keep the process
}
