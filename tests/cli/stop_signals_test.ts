import { assertEquals } from "@std/assert";

const MODULE = new URL("../../src/cli/stop_signals.ts", import.meta.url).href;
const TOLD = "Stopping after this step; once more to stop at once";

/** Outcome of a program whose main thread is busy when signals come. */
interface Outcome {
  readonly told: string;
  readonly code: number;
  readonly signal: string | null;
  readonly after: string;
}

/** Sends SIGTERM to a program that is busy for some seconds, and again when it has told it. */
async function stopBusy(seconds: number, options: string, times: 1 | 2): Promise<Outcome> {
  const code = `
    import { StopSignals } from "${MODULE}";
    const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
    using stop = new StopSignals(${options});
    await wait(1000); // the Worker starts
    console.log("busy");
    for (const end = Date.now() + ${1000 * seconds}; Date.now() < end;);
    await Promise.race([wait(5000), new Promise((resolve) => stop.signal.addEventListener("abort", resolve))]);
    console.log(\`aborted \${stop.signal.aborted}\`);
    Deno.exit(stop.status);`;
  const child = new Deno.Command(Deno.execPath(), { args: ["eval", code], stdout: "piped", stderr: "piped" }).spawn();
  let told = "", after = "";
  const read = async (stream: ReadableStream<Uint8Array>) => {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      if (text.includes("busy\n")) child.kill("SIGTERM");
      if (text.includes("aborted")) after += text.trim();
      if (!text.includes(TOLD)) continue;
      told += text;
      if (times === 2) child.kill("SIGTERM");
    }
  };
  const [status] = await Promise.all([child.status, read(child.stdout), read(child.stderr)]);
  return { told, code: status.code, signal: status.signal, after };
}

Deno.test("StopSignals tells the first signal while the main thread is busy, and lets the second one end it", async () => {
  const outcome = await stopBusy(60, "", 2);
  assertEquals(outcome, { told: `${TOLD}\n`, code: 143, signal: "SIGTERM", after: "" });
});

Deno.test("StopSignals asks the main thread to stop once it listens again, and gives the status", async () => {
  const told = `${JSON.stringify({ type: "note", message: TOLD })}\n`;
  assertEquals(await stopBusy(0.5, "{ json: true }", 1), { told, code: 143, signal: null, after: "aborted true" });
  const silent = await stopBusy(0.2, "{ silent: true }", 1);
  assertEquals(silent, { told: "", code: 143, signal: null, after: "aborted true" });
});
