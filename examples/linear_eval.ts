// Evaluates a pre-trained encoder by a linear classifier:
// deno run -A examples/linear_eval.ts --db cifar10 --root DIR --pretrained CHECKPOINT [--help]
import { linearMain, runMain } from "../src/cli/mod.ts";

await runMain(linearMain);
