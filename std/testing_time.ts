import { fromJsr } from "./choose.ts";

const std = await fromJsr("jsr:@std/testing@^1/time", () => import("./stand_ins/fake_time.ts"));
export const FakeTime: typeof std.FakeTime = std.FakeTime;
