import type { FlagDefinition, FlagValues } from '#pkg/controller';
import type { VModuleRule } from '#pkg/log';

/** A certificate with its key for the names of `--tls-sni-cert-key`; none means those of the certificate itself. */
export interface NamedCertKey {
  readonly certFile: string;
  readonly keyFile: string;
  readonly names: readonly string[];
}

/** `--version`: not asked for, the short or the raw form, or a version to report instead. */
export type VersionRequest = 'false' | 'true' | 'raw' | `v${string}`;

/** Types that only the manager itself has flags of, under the names that usage prints. */
interface OwnFlagValues {
  readonly Level: number;
  readonly 'pattern=N,...': readonly VModuleRule[];
  readonly namedCertKey: readonly NamedCertKey[];
  /** Settings by component; '' where none was named. */
  readonly colonSeparatedMultimapStringString: Readonly<Record<string, readonly string[]>>;
  readonly 'version[=true]': VersionRequest;
}

export type AllFlagValues = FlagValues & OwnFlagValues;
export type AllFlagType = keyof AllFlagValues;

type OwnFlag = {
  readonly [Type in keyof OwnFlagValues]: Pick<
    FlagDefinition,
    'name' | 'help' | 'deprecated' | 'config' | 'minimum' | 'maximum'
  > & {
    readonly type: Type;
    readonly default: OwnFlagValues[Type];
  };
}[keyof OwnFlagValues];

/** A flag as data; see {@link FlagDefinition}, which controllers use for theirs. */
export type Flag = (FlagDefinition | OwnFlag) & {
  /** One letter: `v` for `-v`. */
  readonly shorthand?: string;
  /** Taken, but not shown by `--help`. */
  readonly hidden?: boolean;
};

/** Flags under one heading of `--help`. */
export interface FlagSection {
  readonly name: string;
  readonly flags: readonly Flag[];
}

/** The parsed values of some flags by flag name. */
export type ValuesOf<Flags extends readonly Flag[]> = {
  readonly [F in Flags[number] as F['name']]: AllFlagValues[F['type']];
};
