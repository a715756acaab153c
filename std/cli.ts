import { fromJsr } from "./choose.ts";

const std = await fromJsr("jsr:@std/cli@^1/parse-args", () => import("./stand_ins/cli/parse_args.ts"));
export type { Args, ParseOptions } from "./stand_ins/cli/types.ts";
export const parseArgs: typeof std.parseArgs = std.parseArgs;
