/** Cluster specs from YAML text; a spec is written by people, so unknown keys are refused. */
import { parse } from 'yaml';
import { badInput } from '../../base/errors.ts';
import { type ClusterSpec, clusterSpec, type ClusterSpecInput } from './cluster-spec.ts';

export function readClusterSpec(text: string, file: string): ClusterSpec {
  const result = clusterSpec.safeParse(parse(text));
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const path = issue?.path.join('.') ?? '';
  throw badInput(
    `${path === '' ? 'cluster spec' : path}: ${issue?.message ?? 'is not a cluster spec'}`,
    { file, path },
  );
}

/** A spec in code, with defaults filled in. */
export function clusterSpecOf(input: ClusterSpecInput): ClusterSpec {
  return clusterSpec.parse(input);
}
