/**
 * Goal: the road from Canal to Cilium on RKE2, planned, rehearsed and taken back; what it cannot do is
 * refused when the plan is made. Method: the snapshot of an RKE2 cluster, its plan on its twin.
 */
import { describe, expect, it } from 'vitest';
import { planFor, rehearse } from '../src/cli/rehearsal-session.ts';
import { read } from './support/snapshots.ts';
import { rke2 } from './support/rke2.ts';

const KEEPS_PROXY = 'hubble: {enabled: true}\n';
const REPLACES_PROXY = 'kubeProxyReplacement: true\n';

describe('the plan for RKE2', () => {
  it.each([
    ['kube-proxy stays', KEEPS_PROXY],
    ['kube-proxy goes', REPLACES_PROXY],
  ])('ends clean where %s', async (_, target) => {
    const input = read(rke2(), target);
    const { plan } = planFor(input);
    const { rehearsal } = await rehearse({ input, plan });
    expect([rehearsal.outcome, rehearsal.failures, rehearsal.failedSteps]).toEqual([
      'clean',
      [],
      [],
    ]);
    expect(rehearsal.summary.maxRestartsPerPod).toBe(1);
  });
});
