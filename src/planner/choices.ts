/** What the planner decided, before it is cut into steps. */
import type { KubeObject } from '../model/kubernetes.ts';
import type { NodeStrategy, ObjectSelector } from '../model/plan.ts';
import type { ChartValues } from '../knowledge/cilium-chart/values.ts';
import type { PhaseValues } from './values/phase-values.ts';
import type { TalosPatches } from './talos-patches.ts';

export interface Choices {
  readonly version: string;
  readonly namespace: string;
  readonly release: string;
  readonly pool: readonly string[];
  readonly values: PhaseValues;
  readonly kubeProxyReplacement: boolean;
  readonly strategy: NodeStrategy;
  readonly strategyOf: ReadonlyMap<string, NodeStrategy>;
  readonly waves: readonly (readonly string[])[];
  readonly nodeConfig: KubeObject;
  /** Turns kube-proxy replacement on where a node's label selects it; undefined when kube-proxy stays. */
  readonly replacementConfig: KubeObject | undefined;
  /** GitOps owners of what is changed; suspended from before the first change on. */
  readonly gitOwners: readonly ObjectSelector[];
  readonly budgetsWithoutRoom: readonly string[];
  readonly patches: TalosPatches | undefined;
  readonly acceptApiOutage: boolean;
}

/** Selects the nodes that are moved (k8s-install-migration.rst). */
export const MIGRATION_LABEL = 'io.cilium.migration/cilium-default';
/** Selects the nodes whose agents serve Services (cilium:Documentation/configuration/per-node-config.rst@main). */
export const REPLACEMENT_LABEL = 'io.cilium.migration/kube-proxy-replacement';

/** The values with which every pod and Service is Cilium's, the old CNI being there still. */
export function finalValues({ values }: Choices): ChartValues {
  return values.replacing ?? values.inCharge;
}
