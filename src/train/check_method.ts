import type { Contrastive } from "../nn/mod.ts";
import { type Method, METHODS } from "../methods/mod.ts";
import { thoseWithPrior } from "../methods/internal.ts";
import type { PretrainData } from "./pretrain_types.ts";
import type { ResolvedConfig } from "./resolve.ts";

/** Checks a method with what it is given: prior, kernel, views, and settings that only some have. */
export function checkMethod(data: PretrainData, config: ResolvedConfig): void {
  const method = METHODS[config.method];
  checkPrior(data, config, method);
  checkOwn(config, method);
  const [least, most] = method.views;
  const all = config.views + (data.source.local?.views ?? 0);
  if (Number.isInteger(config.views) && config.views >= 1 && (all < least || all > most)) {
    const wanted = least === most ? `${least}` : `at least ${least}`;
    throw new RangeError(
      `Cannot pretrain() as method "${config.method}" takes ${wanted} views: got ${all}`,
    );
  }
  const { group: { size: ranks }, batchSize, queue } = config;
  if (method.targets === "momentum" && ranks > 1) {
    throw new RangeError(
      `Cannot pretrain() as method "${config.method}" has a momentum encoder, which is on one rank only: got ${ranks} ranks`,
    );
  }
  if (method.queue && queue! < batchSize * all) {
    throw new RangeError(
      `Cannot pretrain() as queue must hold a batch of views, ${batchSize * all}: got ${queue}`,
    );
  }
}

function checkPrior({ source, prior }: PretrainData, { kernel, method }: ResolvedConfig, { prior: use }: Method): void {
  const got = prior ? "a prior" : "a kernel";
  if (use === "none" && (prior || kernel)) {
    throw new TypeError(`Cannot pretrain() as method "${method}" takes no prior: got ${got}; ${thoseWithPrior()}`);
  }
  if ((use === "kernel" || use === "classes") && !prior) {
    throw new TypeError(`Cannot pretrain() as method "${method}" needs a prior: got none`);
  }
  if (use === "classes" && kernel) {
    throw new TypeError(`Cannot pretrain() as method "${method}" takes classes as prior: got a kernel`);
  }
  if (kernel && !prior) throw new TypeError("Cannot pretrain() as a kernel needs a prior: got none");
  if (prior && !kernel && use !== "classes") {
    throw new TypeError("Cannot pretrain() as a prior needs a kernel: got none");
  }
  const width = use === "classes" ? 1 : prior?.shape[1];
  if (prior && (prior.shape.length !== 2 || prior.shape[0] !== source.length || prior.shape[1] !== width)) {
    throw new TypeError(
      `Cannot pretrain() as the prior must be [${source.length}, ${width === 1 ? 1 : "d"}]: got [${prior.shape}]`,
    );
  }
}

function checkOwn(config: ResolvedConfig, method: Method): void {
  const { temperature, targetMomentum, queue } = config;
  const given = [
    ["temperature", temperature, method.temperature],
    ["targetMomentum", targetMomentum, method.momentum],
    ["queue", queue, method.queue],
  ] as const;
  for (const [name, value, own] of given) {
    if (value === undefined || own !== undefined) continue;
    throw new TypeError(`Cannot pretrain() as method "${config.method}" has no ${name}: got ${value}`);
  }
  for (const [name, value] of Object.entries({ targetMomentum, ema: config.ema })) {
    if (value === undefined || (value >= 0 && Math.fround(value) < 1)) continue; // 1 would keep what was before for ever
    throw new RangeError(`Cannot pretrain() as ${name} must be in [0, 1): got ${value}`);
  }
}

/** Checks that a model, and those that follow it, have the form that a method needs. */
export function checkModel(model: Contrastive, config: ResolvedConfig): void {
  const { predictor = false, targets } = METHODS[config.method];
  if (predictor !== (model.predictor !== null)) {
    throw new TypeError(
      `Cannot pretrain() as method "${config.method}" takes a model ${predictor ? "with" : "without"} a predictor: ` +
        `got one ${predictor ? "without" : "with one"}`,
    );
  }
  const needs = [["target", targets === "momentum"], ["average", config.ema !== undefined]] as const;
  for (const [name, needed] of needs) {
    if (needed === (config[name] !== undefined)) continue;
    throw new TypeError(
      `Cannot pretrain() as ${name} must be given ${needed ? "here" : "only where it is used"}, a model of the same ` +
        `network: got ${needed ? "none" : "one"}`,
    );
  }
}
