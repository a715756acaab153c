import { fromJsr } from "./choose.ts";

const std = await fromJsr("jsr:@std/path@^1", () => import("./stand_ins/path.ts"));
export const basename: typeof std.basename = std.basename;
export const dirname: typeof std.dirname = std.dirname;
export const extname: typeof std.extname = std.extname;
export const fromFileUrl: typeof std.fromFileUrl = std.fromFileUrl;
export const join: typeof std.join = std.join;
export const relative: typeof std.relative = std.relative;
export const resolve: typeof std.resolve = std.resolve;
export const toFileUrl: typeof std.toFileUrl = std.toFileUrl;
