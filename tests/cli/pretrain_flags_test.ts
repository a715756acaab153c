import { assert, assertEquals, assertThrows } from "@std/assert";
import { parsePretrain, type PretrainProgram, UsageError, withoutEffect } from "../../src/cli/mod.ts";
import { initialLr } from "../../src/jobs/mod.ts";

const cifar: PretrainProgram = {
  db: "cifar10",
  title: "CIFAR-10",
  stem: "cifar",
  resolution: 32,
  recipe: { network: "resnet18", epochs: 400, batch_size: 256, optimizer: "sgd", lr: 0.3 },
  load: () => Promise.resolve(null),
};
const cub: PretrainProgram = {
  ...cifar,
  db: "cub200",
  resolution: 224,
  recipe: { ...cifar.recipe, epochs: 1000, kernel: "rbf", sigma: 20, weaklabels: true },
  demo: { sigma: 1 },
  flags: { extra: { type: "string", help: "own" } },
};

function message(program: PretrainProgram, ...args: string[]): string {
  return assertThrows(() => parsePretrain(args, program), UsageError).message;
}

Deno.test("parsePretrain() has the original's recipe and defaults", () => {
  const { values, settings, usesPrior } = parsePretrain([], cifar)!;
  assertEquals(values.resume, "auto");
  assertEquals(settings, {
    db: "cifar10",
    demo: false,
    limit: null,
    resolution: 32,
    augment: "original",
    augmentation: "natural",
    network: "resnet18",
    local_crops: 0,
    local_size: null,
    drop_path: 0,
    stem: "cifar",
    epochs: 400,
    batch_size: 256,
    n_views: 2,
    method: "decoupled_uniformity",
    temperature: null,
    target_momentum: null,
    queue: null,
    clusters: null,
    ema: null,
    warmup_epochs: 0,
    clip_grad_norm: null,
    optimizer: "sgd",
    lars: "corrected",
    lr: 0.3,
    precision: "full",
    micro_batch: null,
    batch_statistics: "part",
    momentum: 0,
    wd: 0,
    kernel: null,
    sigma: null,
    loss_scope: "local",
    lambda: 0.01,
    t: 2,
    drop_last: false,
    seed: 0,
    start_epoch: 0,
    save_freq: 100,
    save_minutes: 10,
    print_freq: 10,
    eval_every: 25,
    eval_images: 5000,
    workers: Math.min(navigator.hardwareConcurrency, 8),
    cache_images: 0,
    export: null,
    tensorboard: false,
    profile: false,
  });
  assertEquals([values.root, values.save_dir, usesPrior], ["data/cifar10", "runs/cifar10", false]);
});

Deno.test("parsePretrain() takes the original's names, long and short", () => {
  const args =
    "-n resnet50 --db cifar10 --n_views 4 -j 3 --epochs 7 --start-epoch 2 --save_freq 5 -b 128 --optimizer lars " +
    "--lr 0.5 --wd 1e-6 -p 20 --root r --save_dir s --resume f --gpu 0 --world-size 1 --rank 0 --dist-url x " +
    "--dist-backend nccl --multiprocessing-distributed";
  const { values, settings } = parsePretrain(args.split(" "), cifar)!;
  const { network, n_views, workers, epochs, start_epoch, save_freq, batch_size, lr, momentum, wd, print_freq } =
    settings;
  assertEquals([network, n_views, workers, epochs, start_epoch, save_freq, batch_size, lr, momentum, wd, print_freq], [
    "resnet50",
    4,
    3,
    7,
    2,
    5,
    128,
    0.5,
    0.9,
    1e-6,
    20,
  ]);
  assertEquals([values.root, values.save_dir, values.resume], ["r", "s", "f"]);
  assertEquals(withoutEffect(args.split(" ")).length, 6);
  assert(withoutEffect(["--gpu=1"])[0]?.startsWith("--gpu has no effect here: WebGPU takes the adapter"));
});

Deno.test("parsePretrain() takes argparse's other names, and the original's LARS", () => {
  const { settings } = parsePretrain(["--learning-rate=0.5", "--weight-decay", "1e-4"], cifar)!;
  assertEquals([settings.lr, settings.wd], [0.5, 1e-4]);
  assertEquals(parsePretrain(["--optimizer", "lars", "--lars", "faithful"], cifar)!.settings.lars, "faithful");
  assertEquals(parsePretrain(["--optimizer", "lars"], cifar)!.settings.lars, "corrected");
  assertEquals(
    message(cifar, "--lars", "faithful"),
    "Cannot use --lars with --optimizer sgd: it says how --optimizer lars works",
  );
  assertEquals(parsePretrain(["--learning_rate", "1", "--lr", "2"], cifar)!.settings.lr, 2);
});

Deno.test("parsePretrain() takes how batches are divided, by itself by default", () => {
  const { settings } = parsePretrain(["--micro_batch", "64", "--batch_statistics", "batch"], cifar)!;
  assertEquals([settings.micro_batch, settings.batch_statistics], [64, "batch"]);
  assert(message(cifar, "--micro_batch", "0").includes("micro_batch"));
  assert(message(cifar, "--batch_statistics", "all").includes("part"));
});

Deno.test("parsePretrain() takes the precision, full by default", () => {
  const precision = (...args: string[]) => parsePretrain(args, cifar)!.settings.precision;
  assertEquals(precision(), "full");
  for (const each of ["mixed", "mixed-f16"]) assertEquals(precision("--precision", each), each);
  assert(message(cifar, "--precision", "half").includes("mixed"));
});

Deno.test("parsePretrain() takes a method with its defaults, and Adam with its own learning rate", () => {
  const settings = (...args: string[]) => parsePretrain(args, cifar)!.settings;
  const { temperature, target_momentum, queue, kernel } = settings("--method", "moco", "--queue", "1024");
  assertEquals([temperature, target_momentum, queue, kernel], [0.2, 0.999, 1024, null]);
  const { ema, clip_grad_norm, warmup_epochs } = settings(
    ..."--ema 0.99 --clip_grad_norm 3 --warmup_epochs 10".split(" "),
  );
  assertEquals([ema, clip_grad_norm, warmup_epochs], [0.99, 3, 10]);
  const rate = (...args: string[]) => settings(...args).lr;
  assertEquals([rate("--optimizer", "adamw"), rate("--optimizer", "adam", "--lr", "0.1"), rate()], [1e-3, 0.1, 0.3]);
  assertEquals(parsePretrain(["--method", "byol"], cub)!.usesPrior, false); // of its recipe, which is not asked for
  const classes = parsePretrain(["--method", "cl_infonce"], cub)!;
  assertEquals([classes.usesPrior, classes.settings.kernel, classes.settings.clusters], [true, null, 20]);
  assertEquals(parsePretrain(["--method", "yaware"], cub)!.settings.kernel, "rbf");
});

Deno.test("parsePretrain() trains vision transformers and ConvNeXts by AdamW with a warm-up, unless it is told otherwise", () => {
  const chosen = (line: string) => {
    const { optimizer, warmup_epochs, lr } = parsePretrain(line.split(" "), cifar)!.settings;
    return [optimizer, warmup_epochs, lr];
  };
  assertEquals(chosen("--network resnet18"), ["sgd", 0, 0.3]);
  assertEquals(chosen("--network vit_small_14 --resolution 28").slice(0, 2), ["adamw", 10]);
  assertEquals(chosen("--network convnext_tiny").slice(0, 2), ["adamw", 10]);
  assertEquals(chosen("--network vit_tiny --optimizer sgd --warmup_epochs 0").slice(0, 2), ["sgd", 0]);
  assertEquals(chosen("--network vit_tiny --epochs 10").slice(0, 2), ["adamw", 1]);
  assertEquals(chosen("--network convnext_tiny --epochs 1").slice(0, 2), ["adamw", 0]);
  assertEquals(
    message(cifar, "--epochs", "3", "--warmup_epochs", "3"),
    "Cannot use --warmup_epochs 3 as it must be less than --epochs: got 3",
  );
});

Deno.test("parsePretrain() refuses an unknown method, and what a method does not take", () => {
  assert(message(cifar, "--method", "dino").includes("decoupled_uniformity, align_uniform, simclr, moco, byol"));
  for (const args of [["--prior", "f.npz"], ["--weaklabels"], ["--kernel", "cosine"]]) {
    assertEquals(
      message(cifar, "--method", "byol", ...args),
      `Cannot use ${
        args[0]
      } with --method byol as it takes no prior: methods that take one are decoupled_uniformity, ` +
        "supcon, yaware, cclk, cl_infonce",
    );
  }
  assert(
    message(cifar, "--method", "supcon").startsWith("Cannot use --method supcon without a prior: give --weaklabels"),
  );
  assert(message(cifar, "--method", "cclk").startsWith("Cannot use --method cclk without a prior and its kernel"));
  const kernel = message(cifar, "--method", "supcon", "--prior", "f", "--kernel", "cosine");
  assertEquals(kernel, "Cannot use --kernel with --method supcon as its prior is classes: give --prior alone");
  const none = message(cifar, "--method", "byol", "--temperature", "1");
  assertEquals(none, "Cannot use --temperature with --method byol: it has none");
  assert(message(cifar, "--clusters", "3").includes("--clusters with --method decoupled_uniformity"));
});

Deno.test("parsePretrain() wants a prior with a kernel and a kernel with a prior", () => {
  const { settings, usesPrior, own } = parsePretrain(["--extra", "x"], cub)!;
  assertEquals([settings.kernel, settings.sigma, usesPrior, own], ["rbf", 20, true, { extra: "x" }]);
  assertEquals(parsePretrain(["--kernel", "none"], cub)!.usesPrior, false);
  assertEquals(parsePretrain(["--prior", "f.npz", "--kernel", "cosine"], cifar)!.settings.kernel, "cosine");
  assertEquals(parsePretrain(["--prior", "f.npz", "--kernel", "cosine"], cifar)!.usesPrior, true);
  assert(
    message(cifar, "--kernel", "rbf", "--sigma", "1").startsWith(
      "Cannot use --kernel rbf without a prior: give --weaklabels",
    ),
  );
  assert(message(cub, "--no-weaklabels").includes("the class labels as prior then, which is supervision"));
  assert(
    message(cifar, "--weaklabels").startsWith("Cannot use --weaklabels without a kernel as it would have no effect"),
  );
  assert(
    message(cifar, "--prior", "f.npz").startsWith("Cannot use --prior without a kernel as it would have no effect"),
  );
  assertEquals(
    message(cub, "--prior_columns", "a,b"),
    "Cannot use --prior_columns without --prior: it names columns of that file",
  );
  assertEquals(
    message(cifar, "--prior", "f", "--kernel", "rbf"),
    "Cannot use --kernel rbf without --sigma: give a number or median",
  );
});

Deno.test("parsePretrain() takes a number or the median as sigma", () => {
  const median = parsePretrain(["--sigma", "median"], cub)!;
  assertEquals([median.settings.sigma, median.medianSigma], [null, true]);
  const number = parsePretrain(["--sigma", "2.5"], cub)!;
  assertEquals([number.settings.sigma, number.medianSigma], [2.5, false]);
  for (const kernel of ["cosine", "linear"]) {
    assertEquals(
      message(cub, "--sigma", "median", "--kernel", kernel),
      `Cannot use --sigma with --kernel ${kernel}: it is the width of rbf`,
    );
  }
  assertEquals(parsePretrain(["--kernel", "cosine"], cub)!.settings.sigma, null); // the recipe's own is left out
  for (const sigma of ["0", "-1", "wide", "Infinity", "1e39"]) {
    assertEquals(
      message(cub, `--sigma=${sigma}`),
      `Cannot read --sigma as it must be a number from 1e-30 to 3.4e38, or median: got "${sigma}"`,
    );
  }
});

Deno.test("parsePretrain() refuses what it cannot do", () => {
  assertEquals(
    message(cifar, "--db", "cub200"),
    "Cannot use --db cub200 as this program is for cifar10: run examples/cub200.ts",
  );
  assert(message(cifar, "--kernel", "rfb").endsWith('got "rfb", did you mean "rbf"?'));
  assert(message(cifar, "--batch_size", "1").includes("an integer >= 2"));
  assert(message(cifar, "--sgima", "3").includes("did you mean --sigma?"));
  assertEquals(
    message(cifar, "--optimizer", "adam", "--momentum", "0.9"),
    "Cannot use --momentum with --optimizer adam as it has none: leave it out",
  );
  for (const flag of ["--ema", "--target_momentum", "--drop_path"]) {
    assertEquals(message(cifar, flag, "1"), `Cannot read ${flag} as it must be a number >= 0 and < 1: got "1"`);
  }
  assertEquals(
    message(cifar, "-j", "100000"),
    'Cannot read --workers as it must be an integer >= 1 and <= 1024: got "100000"',
  );
});

Deno.test("parsePretrain() has small defaults for a demo, which flags override", () => {
  const { values, settings } = parsePretrain(["--demo", "--epochs", "2"], cub)!;
  assertEquals([settings.demo, settings.network, settings.resolution, settings.sigma, settings.epochs], [
    true,
    "tiny",
    64,
    1,
    2,
  ]);
  assertEquals([values.root, values.save_dir], ["data/demo/cub200", "runs/demo_cub200"]);
  assertEquals(parsePretrain(["--demo"], cifar)!.settings.resolution, 32);
});

Deno.test("initialLr() scales as the original does", () => {
  assertEquals(initialLr({ db: "cifar10", lr: 0.3, batch_size: 256 }), 0.3);
  assertEquals(initialLr({ db: "chexpert", lr: 0.5, batch_size: 1024 }), 2);
  assertEquals(initialLr({ db: "imagenet100", lr: 0.3, batch_size: 256 }), 0.36);
});
