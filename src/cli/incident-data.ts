/**
 * The published incident, as bundled data: its cluster, its commands, its target, its explanations.
 * The files are YAML for people; the build turns them into data, so that no start pays for parsing.
 */
import { z } from 'zod';
import asItWasDone from '../../scenarios/post-mortem/as-it-was-done.yaml';
import cluster from '../../scenarios/post-mortem/cluster.yaml';
import remembered from '../../scenarios/post-mortem/remembered.yaml';
import target from '../../scenarios/post-mortem/target.yaml';
import { present } from '../base/assert.ts';
import { readInput } from '../intake/read-input.ts';
import type { ClusterInput } from '../model/cluster-input.ts';
import type { Runbook } from '../model/runbook.ts';
import type { RememberedClaim } from '../report/sections/lists.ts';
import { clusterSpec } from '../twin/scenario/cluster-spec.ts';
import { expandCluster } from '../twin/scenario/expand-cluster.ts';

export interface Incident {
  /** The cluster with the target values, as if read from a snapshot. */
  readonly input: ClusterInput;
  /** What was done; read when it is asked for, since the planned run needs none of it. */
  runbook(): Runbook;
  remembered(): readonly RememberedClaim[];
}

const rememberedFile = z.object({
  explanations: z.array(
    z.object({ claim: z.string(), verdict: z.string(), why: z.string(), source: z.string() }),
  ),
});

/** Cilium as the incident used it. */
const CILIUM_VERSION = '1.16.5';

export function loadIncident(): Incident {
  const { helmValues } = read('target', target);
  let runbook: Runbook | undefined;
  return {
    input: { ...expandCluster(clusterSpec.parse(cluster)), helmValues },
    runbook: () => (runbook ??= readRunbook()),
    remembered: () => rememberedFile.parse(remembered).explanations,
  };
}

function readRunbook(): Runbook {
  const { runbooks } = read('as-it-was-done', asItWasDone);
  return present(runbooks[0], 'the runbook of the incident').runbook;
}

function read(name: string, document: unknown): ClusterInput {
  const file = { path: `scenarios/post-mortem/${name}.json`, text: JSON.stringify(document) };
  return readInput([file], { ciliumVersion: CILIUM_VERSION });
}
