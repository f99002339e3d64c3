import { expect, test } from 'vitest';
import { finding, judged } from '../finding.ts';
import { factsFrom } from '../testing.ts';
import { deployment, node, object } from '../testing-objects.ts';
import { hazard } from './hazard.ts';

const scaler = (replicas: number) =>
  deployment('autoscaler', {
    namespace: 'kube-system',
    image: 'registry.k8s.io/autoscaling/cluster-autoscaler:v1.33.0',
    replicas,
  });

test('Cluster Autoscaler', () => {
  expect(hazard.foretell(factsFrom({ objects: [node('w1'), scaler(1)] }))).toEqual(
    judged([
      finding(hazard, {
        certainty: 'likely',
        message:
          "Deployment kube-system/autoscaler changes the set of nodes. During the migration a drained node is the first that is scaled away, and a node that joins has neither the migration's label nor Cilium's start-up taint.",
        evidence: [{ source: 'Deployment kube-system/autoscaler' }],
        fix: {
          summary:
            'Pause scale-down for the time of the migration, and put the label and the taint node.cilium.io/agent-not-ready into the templates of new nodes.',
          command:
            'kubectl annotate nodes --all cluster-autoscaler.kubernetes.io/scale-down-disabled=true',
        },
      }),
    ]),
  );
});

test('Karpenter by its pools', () => {
  const objects = [node('w1'), object('karpenter.sh/v1', 'NodePool', 'general')];
  expect(hazard.foretell(factsFrom({ objects })).findings[0]?.message).toContain(
    'NodePool general',
  );
});

test('near miss: scaled to zero', () => {
  expect(hazard.foretell(factsFrom({ objects: [node('w1'), scaler(0)] }))).toEqual(judged());
});

test('unknown: no cluster was read', () => {
  expect(hazard.foretell(factsFrom()).missing).not.toEqual([]);
});
