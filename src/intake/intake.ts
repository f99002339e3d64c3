/** What is gathered while files are read, before versions and nodes are put to what they belong to. */
import type { Source } from '../base/source.ts';
import type {
  CniConfInput,
  DirectoryListing,
  MachineConfigDocument,
  ReadObject,
} from '../model/cluster-input.ts';
import type { TextTree } from './text/yaml-tree.ts';

export interface InputFile {
  readonly path: string;
  readonly text: string;
  /** The user named this very file (default); one found in a directory may hold anything. */
  readonly named?: boolean;
}

export type ValuesRole = 'target' | 'live';

export interface IntakeOptions {
  /** Chart version of the target values: `--cilium-version`. */
  readonly ciliumVersion?: string;
  /** `--talos-version`. */
  readonly talosVersion?: string;
  /** Values that stand in a runbook's steps are targets as those in files are. */
  readonly runbookValues?: boolean;
  /** What a values file is, by path, where its content does not say. */
  readonly roles?: Readonly<Record<string, ValuesRole>>;
}

export interface ReadValues {
  readonly tree: TextTree;
  readonly role: ValuesRole;
  readonly source: Source;
  /** Told by the object the values came in (a HelmRelease, a release record). */
  readonly version: VersionHint | undefined;
}

/** A chart version found in the files. */
export interface VersionHint {
  readonly version: string;
  readonly source: Source;
  /** `live`: of a release that exists. */
  readonly role: ValuesRole;
}

export interface ReadMachineConfig {
  readonly documents: MachineConfigDocument[];
  /** As printed: an address or a name. */
  readonly node: string | undefined;
  readonly source: Source;
  /** A JSON6902 or otherwise partial document is in it. */
  patch: boolean;
}

export interface Intake {
  readonly options: IntakeOptions;
  readonly objects: ReadObject[];
  readonly values: ReadValues[];
  readonly versions: VersionHint[];
  readonly machineConfigs: ReadMachineConfig[];
  readonly cniConfs: CniConfInput[];
  readonly listings: DirectoryListing[];
  readonly runbooks: TextTree[];
  /** Kinds of which a typed list was read, also an empty one. */
  readonly kindsListed: Set<string>;
  readonly ignored: {
    readonly source: Source;
    readonly reason: string;
    readonly recognised: boolean;
  }[];
}

export function emptyIntake(options: IntakeOptions): Intake {
  return {
    options,
    objects: [],
    values: [],
    versions: [],
    machineConfigs: [],
    cniConfs: [],
    listings: [],
    runbooks: [],
    kindsListed: new Set(),
    ignored: [],
  };
}

/** Something regauge knows and has no use for. */
export function ignore(intake: Intake, source: Source, reason: string): void {
  intake.ignored.push({ source, reason, recognised: true });
}

/** Something regauge does not know; an error when the user named the file. */
export function notRecognised(intake: Intake, source: Source, reason: string): void {
  intake.ignored.push({ source, reason, recognised: false });
}

export function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}

export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Left out, and nothing is lost by it: a list that says there are none, regauge's own manifest. */
export const EMPTY_LIST = 'an empty list';
export const SNAPSHOT_MANIFEST = 'the manifest of a snapshot';
export const TALOS_STATUS = 'the state of a Talos machine: its config tells the same';
export const FLANNEL_STATE_FILE = 'Flannel’s state of a node: its own objects tell the same';
