import type { UnreadableImage } from "../../data/mod.ts";
import { type Communicator, gatherBytes } from "../../distributed/mod.ts";

/** Images that some rank could not read: each is told once. */
export class UnreadableImages {
  #group: Communicator;
  #found: UnreadableImage[] = [];
  #told = new Set<string>();

  /** Starts with no images. */
  constructor(group: Communicator) {
    this.#group = group;
  }

  /** Takes note of one that this rank could not read. */
  add(image: UnreadableImage): void {
    this.#found.push(image);
  }

  /** Sentences about those that came to be known since the last call, on all ranks; all ranks must call it together. */
  messages(): string[] {
    const bytes = new TextEncoder().encode(JSON.stringify(this.#found.splice(0)));
    const ranks = gatherBytes(this.#group, bytes).map((part) => JSON.parse(new TextDecoder().decode(part)));
    return ranks.flatMap((images: UnreadableImage[], rank) =>
      images.filter(({ path }) => !this.#told.has(path)).map(({ path, reason }) => {
        this.#told.add(path);
        return `"${path}" cannot be read${rank > 0 ? ` on rank ${rank}` : ""} and is left out: ${reason}`;
      })
    );
  }
}
