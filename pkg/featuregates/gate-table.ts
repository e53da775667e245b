/** `pre-alpha` is a gate that the emulated version does not have yet. */
export type Stage = 'pre-alpha' | 'alpha' | 'beta' | 'ga' | 'deprecated';

type Default = 'on' | 'off';

/** What a gate is from a version on: `1.34 beta on`. */
export type StageText =
  | `${number}.${number} ${Exclude<Stage, 'pre-alpha'>} ${Default}`
  | `${number}.${number} ${Exclude<Stage, 'pre-alpha'>} ${Default} locked`;

export interface GateFacts {
  /** Ascending by version. */
  readonly stages: readonly StageText[];
  /** Gates without which this one cannot be enabled. */
  readonly needs?: readonly string[];
}

export type GateTable = Readonly<Record<string, GateFacts>>;

export interface GateSpec {
  readonly stage: Stage;
  readonly default: boolean;
  /** Its value cannot be changed. */
  readonly locked: boolean;
}
