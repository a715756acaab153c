import type { ImageReply, ImageRequest, ImageResult, ImageTask } from "./_image_task.ts";

export type { ImageResult } from "./_image_task.ts";

interface Job {
  request: ImageRequest;
  resolve(result: ImageResult): void;
  reject(error: Error): void;
}

interface Member {
  worker: Worker;
  jobs: Map<number, Job>;
}

// One file is decoded while the next request is already there.
const JOBS_A_WORKER = 2;

/** Largest number of workers that a program takes: each holds tens of megabytes. */
export const MOST_WORKERS = 1024;

/** Workers that decode and encode images; a task goes to whichever is free. */
export class WorkerPool {
  #milliseconds = 0;
  #members: Member[] = [];
  #waiting: Job[] = [];
  #nextId = 0;
  #failure: Error | null = null;

  #count: number;

  /** Makes room for `count` workers; one starts with a task for which none is free. */
  constructor(count: number) {
    this.#count = count;
  }

  /** Time that the workers spent on tasks so far, summed over the workers. */
  get milliseconds(): number {
    return this.#milliseconds;
  }

  /** Runs a task. Rejects only when nothing can be done any more. */
  run(task: ImageTask): Promise<ImageResult> {
    return new Promise((resolve, reject) => {
      if (this.#failure) return reject(this.#failure);
      this.#waiting.push({ request: { id: this.#nextId++, task }, resolve, reject });
      this.#dispatch();
    });
  }

  /** Ends the workers; tasks under way are rejected. */
  close(): void {
    this.#fail(new Error("Cannot decode images as the decoder is closed"));
  }

  #start(): Member {
    const worker = new Worker(new URL("./_decode_worker.ts", import.meta.url), { type: "module" });
    const member: Member = { worker, jobs: new Map() };
    worker.onmessage = (event: MessageEvent<ImageReply>) => this.#receive(member, event.data);
    worker.onerror = (event) => {
      event.preventDefault();
      this.#fail(new Error(`Cannot decode images as a worker failed: ${event.message}`));
    };
    return member;
  }

  #dispatch(): void {
    while (this.#waiting.length > 0) {
      const busy = this.#members.every(({ jobs }) => jobs.size > 0);
      if (busy && this.#members.length < this.#count) this.#members.push(this.#start());
      const member = this.#members.reduce((least, each) => each.jobs.size < least.jobs.size ? each : least);
      if (member.jobs.size >= JOBS_A_WORKER) return;
      const job = this.#waiting.shift()!;
      member.jobs.set(job.request.id, job);
      member.worker.postMessage(job.request);
    }
  }

  #receive(member: Member, reply: ImageReply): void {
    if ("fatal" in reply) {
      this.#fail(new Deno.errors.NotFound(reply.fatal));
      return;
    }
    const job = member.jobs.get(reply.id);
    member.jobs.delete(reply.id);
    this.#milliseconds += reply.milliseconds;
    job?.resolve(reply.result);
    this.#dispatch();
  }

  #fail(error: Error): void {
    if (this.#failure) return;
    this.#failure = error;
    for (const { worker } of this.#members) worker.terminate();
    for (const job of [...this.#members.flatMap(({ jobs }) => [...jobs.values()]), ...this.#waiting]) job.reject(error);
    this.#waiting = [];
    for (const { jobs } of this.#members) jobs.clear();
  }
}
