import { fromJsr } from "./choose.ts";

const std = await fromJsr("jsr:@std/expect@^1", () => import("./stand_ins/expect.ts"));
export const expect: typeof std.expect = std.expect;
export const fn: typeof std.fn = std.fn;
