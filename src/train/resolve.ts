import { checkOptions } from "../tensor/internal.ts";
import { groupOf } from "../distributed/internal.ts";
import { type SettingValue, type SettingValues, withDefaults } from "./setting.ts";
import { type PretrainConfig, TRAINING } from "./settings.ts";

type Rows = typeof TRAINING;

/** Options of {@linkcode pretrain} that a row of {@linkcode TRAINING} describes; undefined where a setting is null. */
export type TrainingOptions = {
  readonly [K in keyof Rows as Rows[K]["option"]]:
    | Exclude<SettingValue<Rows[K]>, null>
    | (null extends SettingValue<Rows[K]> ? undefined : never);
};

/** Settings with everything that holds where one is not given. */
export type ResolvedConfig =
  & Omit<PretrainConfig, keyof TrainingOptions>
  & TrainingOptions
  & Required<Pick<PretrainConfig, "etaMin" | "start" | "compile" | "group">>;

/** The options of {@linkcode pretrain} that settings by the names of their flags stand for. */
export function trainingOptions(settings: SettingValues<Rows>): TrainingOptions {
  const options = Object.entries(TRAINING).map((
    [name, { option }],
  ) => [option, settings[name as keyof Rows] ?? undefined]);
  return Object.fromEntries(options);
}

/** Options that no flag stands for. */
const OTHERS = [
  ...["target", "average", "etaMin", "kernel", "start", "signal", "profile", "compile", "tuning", "group"] as const,
  ...["faithfulLars", "beforeFirstStep"] as const,
];

/** Settings with their defaults: what all parts of a run read. */
export function resolveConfig(config: PretrainConfig): ResolvedConfig {
  checkOptions("pretrain()", config, [...Object.values(TRAINING).map(({ option }) => option), ...OTHERS]);
  const given = Object.fromEntries(Object.entries(TRAINING).map(([name, { option }]) => [name, config[option]]));
  const { etaMin = config.optimizer?.startsWith("adam") ? 0 : 1e-3, start = { epoch: 0, step: 0 }, compile = true } =
    config;
  return {
    ...config,
    ...trainingOptions(withDefaults(TRAINING, given)),
    ...{ etaMin, start, compile, group: groupOf(config) },
  };
}
