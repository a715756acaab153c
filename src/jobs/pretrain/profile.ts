import type { StepProfile } from "../../train/mod.ts";
import { StreamedImages, type ViewSource } from "../../data/mod.ts";

/** Milliseconds a step by part. */
export type StepTimes = Readonly<Record<string, number>>;

/** Sums up where the time of the steps so far went; null when nothing was timed. */
export function profileOf(profile: StepProfile | undefined, source: ViewSource): StepTimes | null {
  if (!profile || profile.steps === 0) return null;
  const { steps, perStep } = profile;
  const views = perStep.get("views") ?? 0;
  const times = source instanceof StreamedImages ? source.times : { decode: 0, wait: 0, upload: 0 };
  const [decode, wait, upload] = [times.decode, times.wait, times.upload].map((total) => total / steps);
  const rest = [...perStep].filter(([name]) => name !== "views");
  return {
    decode: decode!,
    wait: wait!,
    upload: upload!,
    augment: views - wait! - upload!,
    ...Object.fromEntries(rest),
  };
}
