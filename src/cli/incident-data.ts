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
  readonly runbook: Runbook;
  readonly remembered: readonly RememberedClaim[];
}

const rememberedFile = z.object({
  explanations: z.array(
    z.object({ claim: z.string(), verdict: z.string(), why: z.string(), source: z.string() }),
  ),
});

/** Cilium as the incident used it. */
const CILIUM_VERSION = '1.16.5';

export function loadIncident(): Incident {
  const told = readInput(
    [
      { path: 'scenarios/post-mortem/target.json', text: JSON.stringify(target) },
      { path: 'scenarios/post-mortem/as-it-was-done.json', text: JSON.stringify(asItWasDone) },
    ],
    { ciliumVersion: CILIUM_VERSION },
  );
  return {
    input: { ...expandCluster(clusterSpec.parse(cluster)), helmValues: told.helmValues },
    runbook: present(told.runbooks[0], 'the runbook of the incident').runbook,
    remembered: rememberedFile.parse(remembered).explanations,
  };
}
