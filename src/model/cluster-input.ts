/**
 * Everything that was read of a cluster and of what is planned for it: the documents themselves,
 * recognised by content, each with its source. Facts and twins are both built from this.
 */
import type { Source } from '../base/source.ts';
import type { ConfigTree } from './config-tree.ts';
import type { Fact } from './fact.ts';
import type { KubeObject } from './kubernetes.ts';
import type { Runbook } from './runbook.ts';

export interface ClusterInput {
  readonly objects: readonly ReadObject[];
  readonly helmValues: readonly HelmValuesInput[];
  readonly machineConfigs: readonly MachineConfigInput[];
  readonly cniConfs: readonly CniConfInput[];
  readonly listings: readonly DirectoryListing[];
  readonly runbooks: readonly {
    readonly runbook: Runbook;
    readonly source: Source;
    /** Positions of the steps, when the text was kept. */
    readonly tree?: ConfigTree;
  }[];
  /** Constants of the twin that a scenario sets, by name. */
  readonly constants?: Readonly<Record<string, number>>;
  /** Kinds of which a typed list was read (`PodDisruptionBudgetList`), also an empty one. */
  readonly kindsListed?: readonly string[];
  /** Files that held nothing regauge reads, with the reason; shown, never an error by itself. */
  readonly ignored: readonly { readonly source: Source; readonly reason: string }[];
}

export interface ReadObject {
  readonly object: KubeObject;
  readonly source: Source;
  /** Positions inside the object; a plain tree (paths only) for large JSON files. */
  readonly tree: ConfigTree;
}

export interface HelmValuesInput {
  readonly chart: 'cilium';
  /** `target`: what is to be installed. `live`: what `helm get values` printed of a release. */
  readonly role: 'target' | 'live';
  readonly chartVersion: Fact<string>;
  readonly tree: ConfigTree;
  readonly source: Source;
}

export interface MachineConfigInput {
  /** A patch changes a config; a config is whole. */
  readonly kind: 'config' | 'patch';
  /** `v1alpha1`: one document; `documents`: holds documents of the ≥ 1.13/1.14 multi-document form. */
  readonly style: 'v1alpha1' | 'documents';
  /** The node it was read from or names, when that is told. */
  readonly node: Fact<string>;
  readonly documents: readonly MachineConfigDocument[];
  /** The documents as `showDocuments` writes them, where that was done already. */
  readonly text?: string;
  readonly source: Source;
}

export interface MachineConfigDocument {
  /** `v1alpha1` for the unnamed main document; else the document's `kind` (`KubeFlannelCNIConfig`). */
  readonly kind: string;
  readonly name?: string;
  readonly tree: ConfigTree;
}

export interface CniConfInput {
  /** The base name: order and kind follow from it. */
  readonly name: string;
  readonly directory: Fact<string>;
  readonly node: Fact<string>;
  readonly text: string;
  readonly source: Source;
}

export interface DirectoryListing {
  readonly directory: string;
  readonly node: Fact<string>;
  readonly entries: readonly ListedFile[];
  readonly source: Source;
}

export interface ListedFile {
  readonly name: string;
  readonly type: 'file' | 'directory' | 'symlink';
  /** Octal permission bits, when listed. */
  readonly mode?: number;
  readonly target?: string;
}

export const EMPTY_INPUT: ClusterInput = {
  objects: [],
  helmValues: [],
  machineConfigs: [],
  cniConfs: [],
  listings: [],
  runbooks: [],
  ignored: [],
};
