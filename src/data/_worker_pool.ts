import type { DecodeReply, DecodeRequest } from "./_decode_worker.ts";
import type { DecodeSpec } from "./dataset.ts";
import type { RgbImage } from "./resize.ts";

/** The image of a file, or why it is unreadable. */
export type DecodeResult = { image: RgbImage } | { unreadable: string };

interface Job {
  request: DecodeRequest;
  resolve(result: DecodeResult): void;
  reject(error: Error): void;
}

interface Member {
  worker: Worker;
  jobs: Map<number, Job>;
}

// One file is decoded while the next request is already there.
const JOBS_A_WORKER = 2;

/** Workers that decode files; a file goes to whichever is free. */
export class WorkerPool {
  #members: Member[] = [];
  #waiting: Job[] = [];
  #nextId = 0;
  #failure: Error | null = null;

  constructor(count: number) {
    for (let i = 0; i < count; i++) this.#members.push(this.#start());
  }

  /** Decodes a file. Rejects only when no file can be decoded any more. */
  decode(path: string, spec: DecodeSpec): Promise<DecodeResult> {
    return new Promise((resolve, reject) => {
      if (this.#failure) return reject(this.#failure);
      this.#waiting.push({ request: { id: this.#nextId++, path, spec }, resolve, reject });
      this.#dispatch();
    });
  }

  /** Ends the workers; what is under way is rejected. */
  close(): void {
    this.#fail(new Error("Cannot decode images as the decoder is closed"));
  }

  #start(): Member {
    const worker = new Worker(new URL("./_decode_worker.ts", import.meta.url), { type: "module" });
    const member: Member = { worker, jobs: new Map() };
    worker.onmessage = (event: MessageEvent<DecodeReply>) => this.#receive(member, event.data);
    worker.onerror = (event) => {
      event.preventDefault();
      this.#fail(new Error(`Cannot decode images as a worker failed: ${event.message}`));
    };
    return member;
  }

  #dispatch(): void {
    while (this.#waiting.length > 0) {
      const member = this.#members.reduce((least, each) => each.jobs.size < least.jobs.size ? each : least);
      if (member.jobs.size >= JOBS_A_WORKER) return;
      const job = this.#waiting.shift()!;
      member.jobs.set(job.request.id, job);
      member.worker.postMessage(job.request);
    }
  }

  #receive(member: Member, reply: DecodeReply): void {
    if ("fatal" in reply) {
      const advice = 'run "deno cache npm:sharp@^0.35.5" once where the npm registry can be reached';
      this.#fail(
        new Deno.errors.NotFound(`Cannot load npm package "sharp", which decodes images: ${reply.fatal}; ${advice}`),
      );
      return;
    }
    const job = member.jobs.get(reply.id);
    member.jobs.delete(reply.id);
    job?.resolve(reply);
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
