/** Progress of a piece of work. */
export interface ProgressEvent {
  readonly type: "progress";
  /** Name of the work. */
  readonly label: string;
  /** Share done, in [0, 1]. */
  readonly done: number;
  /** Details for people. */
  readonly text: string;
  /** Numbers of an epoch, by their names, where there are some. */
  readonly values?: Readonly<Record<string, number>>;
}

/** Runs work that tells how far it is, and turns what it tells into events. */
export async function* withProgress<T>(
  label: string,
  work: (tell: (done: number, text: string, values?: ProgressEvent["values"]) => void) => Promise<T>,
): AsyncGenerator<ProgressEvent, T> {
  let waiting: ProgressEvent[] = [];
  let wake = () => {};
  let ended = false;
  const result = work((done, text, values) => {
    waiting.push({ type: "progress", label, done: Math.min(1, done), text, ...values && { values } });
    wake();
  }).finally(() => {
    ended = true;
    wake();
  });
  result.catch(() => {}); // it is awaited below
  while (!ended || waiting.length > 0) {
    if (waiting.length === 0) await new Promise<void>((resolve) => wake = resolve);
    const told = waiting;
    waiting = [];
    yield* told;
  }
  return await result;
}
