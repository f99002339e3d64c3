/**
 * The published incident's cluster and target, as bundled data. The files are YAML for people; the
 * build turns them into data, so that no start pays for parsing. What was done and what is remembered
 * of it is in incident-story.ts.
 */
import target from '../../../scenarios/post-mortem/target.yaml';
import type { ClusterInput, HelmValuesInput } from '../../model/cluster-input.ts';
import { plainTree } from '../../model/config-tree.ts';
import { known } from '../../model/fact.ts';
import { incidentCluster } from './incident-cluster.built.ts';
import { inputOf } from './plain-input.ts';

/** Cilium as the incident used it. */
export const CILIUM_VERSION = '1.16.5';

/** The cluster with the target values, as if read from a snapshot. */
export function incidentInput(): ClusterInput {
  return { ...inputOf(incidentCluster()), helmValues: [targetValues()] };
}

function targetValues(): HelmValuesInput {
  const source = { file: 'scenarios/post-mortem/target.yaml' };
  return {
    chart: 'cilium',
    role: 'target',
    chartVersion: known(CILIUM_VERSION, source),
    tree: plainTree(target, source),
    source,
  };
}
