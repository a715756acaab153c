import { fromJsr } from "./choose.ts";

const std = await fromJsr("jsr:@std/testing@^1/time", () => import("./stand_ins/testing/time.ts"));
export const FakeTime: typeof std.FakeTime = std.FakeTime;
export const TimeError: typeof std.TimeError = std.TimeError;
export type FakeTime = InstanceType<typeof std.FakeTime>;
export type TimeError = InstanceType<typeof std.TimeError>;
