/** The post-mortem's cluster with the values that were wanted, as `rehearse` reads them. */
import { readFileSync } from 'node:fs';
import { readInput } from '../../src/intake/read-input.ts';
import type { ClusterInput } from '../../src/model/cluster-input.ts';
import type { ClusterSpec } from '../../src/twin/scenario/cluster-spec.ts';
import { expandCluster } from '../../src/twin/scenario/expand-cluster.ts';
import { readClusterSpec } from '../../src/twin/scenario/read-spec.ts';

export function scenario(name: string): string {
  return readFileSync(new URL(`../../scenarios/post-mortem/${name}`, import.meta.url), 'utf8');
}

export function postMortemSpec(): ClusterSpec {
  return readClusterSpec(scenario('cluster.yaml'), 'cluster.yaml');
}

/** That cluster, or another one, with those values. */
export function postMortemInput(spec = postMortemSpec()): ClusterInput {
  const told = readInput([{ path: 'target.yaml', text: scenario('target.yaml') }], {
    ciliumVersion: '1.16.5',
  });
  return { ...expandCluster(spec), helmValues: told.helmValues };
}
