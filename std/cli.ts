import { fromJsr } from "./choose.ts";

const std = await fromJsr("jsr:@std/cli@^1/parse-args", () => import("./stand_ins/parse_args.ts"));
export const parseArgs: typeof std.parseArgs = std.parseArgs;
