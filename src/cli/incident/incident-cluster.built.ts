/**
 * The published incident's cluster, expanded. The build runs this and keeps what it returns
 * (scripts/built-modules.mjs): every start would expand the same few lines to the same objects.
 */
import cluster from '../../../scenarios/post-mortem/cluster.yaml';
import { clusterSpec } from '../../twin/scenario/cluster-spec.ts';
import { expandCluster } from '../../twin/scenario/expand-cluster.ts';
import { type PlainInput, plainInputOf } from './plain-input.ts';

export function incidentCluster(): PlainInput {
  return plainInputOf(expandCluster(clusterSpec.parse(cluster)));
}
