// Runs in a Worker: compiles one shader after another on a device of its own. Started by compile_ahead.ts.
import { Device } from "../device/mod.ts";
import { compilePlans, type PipelinePlan } from "../device/internal.ts";

interface WorkerScope {
  onmessage: ((event: MessageEvent<PipelinePlan>) => void) | null;
  postMessage(message: CompileReply): void;
}

/** Answer of the Worker: that it is ready, or has compiled what it was given; or why it cannot. */
export type CompileReply = { readonly failed?: string };

const scope = globalThis as unknown as WorkerScope;

/** Answers when some work is done, or has failed. */
function answer(work: Promise<unknown>): void {
  work.then(() => scope.postMessage({}), (error: Error) => scope.postMessage({ failed: error.message }));
}

const opened = Device.open();
scope.onmessage = ({ data }) => answer(opened.then((device) => compilePlans(device.pipelines, [data])));
answer(opened);
