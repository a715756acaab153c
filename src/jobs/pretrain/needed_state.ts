import type { Checkpoint } from "../../checkpoints/mod.ts";
import { type Method, METHODS } from "../../methods/mod.ts";
import { type JobSettings, settingsOf } from "./settings.ts";

/** Whether a run of the settings `now` needs state that one of `before` did not keep, by the setting that asks for it. */
const NEEDS: Readonly<Record<string, (before: JobSettings, now: JobSettings) => boolean>> = {
  network: (before, now) => before.network !== now.network,
  stem: (before, now) => /^(wide_)?resne/.test(now.network) && before.stem !== now.stem,
  resolution: (before, now) => now.network.startsWith("vit_") && before.resolution !== now.resolution,
  method: (before, now) => headOf(before) !== headOf(now) || hasTarget(now) && !hasTarget(before),
  queue: (before, now) => METHODS[now.method].queue !== undefined && before.queue !== now.queue,
  ema: (before, now) => now.ema !== null && (before.ema ?? null) === null,
  optimizer: (before, now) => momentsOf(before) !== momentsOf(now),
  momentum: (before, now) => momentsOf(before) !== momentsOf(now),
};

/** Names of the settings with which a run cannot go on from a checkpoint of others, since it lacks what they need. */
export function neededState(
  { config, optimizer }: Pick<Checkpoint, "config" | "optimizer">,
  now: JobSettings,
): string[] {
  const kept = optimizer ? {} : { optimizer: now.optimizer, momentum: now.momentum }; // without, it begins anew
  const before = { ...now, ...settingsOf(config), ...kept } as JobSettings;
  return Object.keys(NEEDS).filter((name) => NEEDS[name]!(before, now));
}

function headOf({ method }: JobSettings): string {
  const { norm = false, predictor = false } = methodOf(method);
  return `${norm} ${predictor}`;
}

function hasTarget({ method }: JobSettings): boolean {
  return methodOf(method).targets === "momentum";
}

/** The method of a name; nothing where a checkpoint of another version names it. */
function methodOf(name: string): Partial<Method> {
  return Object.entries(METHODS).find(([known]) => known === name)?.[1] ?? {};
}

/** Kinds of what an optimizer keeps of each parameter. */
function momentsOf({ optimizer, momentum }: JobSettings): string {
  return `${optimizer}`.startsWith("adam") ? "moments" : momentum > 0 ? "velocity" : "nothing";
}
