import { expect, test } from 'vitest';
import { finding, judged } from '../finding.ts';
import { factsFrom } from '../testing.ts';
import { daemonSet, deployment, node } from '../testing-objects.ts';
import { hazard } from './hazard.ts';

test('kured', () => {
  const kured = daemonSet('kured', {
    namespace: 'kube-system',
    image: 'ghcr.io/kubereboot/kured:1.16.0',
  });
  expect(hazard.foretell(factsFrom({ objects: [node('w1'), kured] }))).toEqual(
    judged([
      finding(hazard, {
        certainty: 'proven',
        message:
          'DaemonSet kube-system/kured drains, reboots or replaces nodes by itself. A node that is not Ready for some minutes, or that wants a reboot, is acted on in the middle of its step, next to the one the migration has taken.',
        evidence: [{ source: 'DaemonSet kube-system/kured' }],
        fix: {
          summary:
            'Stop it for the time of the migration (scale to zero, pause, or hold its lock), and start it again at the end.',
        },
      }),
    ]),
  );
});

test('near miss: a controller that is scaled to zero', () => {
  const stopped = deployment('suc', {
    image: 'rancher/system-upgrade-controller:v0.14',
    replicas: 0,
  });
  expect(hazard.foretell(factsFrom({ objects: [node('w1'), stopped] }))).toEqual(judged());
});

test('unknown: no cluster was read', () => {
  expect(hazard.foretell(factsFrom()).missing).not.toEqual([]);
});
