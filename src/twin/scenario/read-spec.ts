/** Cluster specs from YAML text; a spec is written by people, so unknown keys are refused. */
import { type ClusterSpec, clusterSpec, type ClusterSpecInput } from './cluster-spec.ts';
import { readWritten } from './written-document.ts';

/** Throws `bad-input` with the place of what is wrong. */
export function readClusterSpec(text: string, file: string): ClusterSpec {
  return readWritten(text, file, clusterSpec, 'cluster spec');
}

/** A spec in code, with defaults filled in. */
export function clusterSpecOf(input: ClusterSpecInput): ClusterSpec {
  return clusterSpec.parse(input);
}
