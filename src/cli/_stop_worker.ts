// Runs in a Worker: hears signals while the main thread waits for the GPU, for minutes where a step takes them. Started by
// stop_signals.ts.

/** Signals to hear, and how the first one is told. */
export interface StopOrder {
  /** The signals. */
  readonly names: readonly Deno.Signal[];
  /** Line that is printed at the first one; null: none. */
  readonly line: string | null;
  /** Whether the line goes to stdout and not to stderr. */
  readonly toStdout: boolean;
}

interface WorkerScope {
  onmessage: ((event: MessageEvent<StopOrder>) => void) | null;
  postMessage(name: Deno.Signal): void;
}

const scope = globalThis as unknown as WorkerScope;

scope.onmessage = ({ data: { names, line, toStdout } }) => {
  const listeners = names.map((name) => [name, () => onFirst(name)] as const);
  for (const [name, listener] of listeners) Deno.addSignalListener(name, listener);

  function onFirst(name: Deno.Signal): void {
    for (const [each, listener] of listeners) Deno.removeSignalListener(each, listener); // the second one ends the process
    if (line !== null) toStdout ? console.log(line) : console.error(line);
    scope.postMessage(name);
  }
};
