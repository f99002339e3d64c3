/** FM-49: the agent writes where the runtime of this distribution does not look. */
import type { ClusterFacts } from '../../model/facts.ts';
import { evidenceAt } from '../../model/finding.ts';
import type { Finding } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import { cniDirectories, type CniDirectories } from '../../knowledge/distributions.ts';
import { chartTargets, effectiveOf, missingTargets, type ChartTarget } from '../chart.ts';
import { finding, judged, judgedInPart, MISSING } from '../finding.ts';

export const hazard: Hazard = {
  id: 'conf-directory-of-distribution',
  covers: ['FM-49'],
  title: 'The conf goes where the runtime of this distribution does not look',
  severity: 'high',
  holdsFor: 'K3s with the bundled Flannel; elsewhere any path that is not the default',
  why: 'K3s points its containerd at directories of its own for as long as the bundled Flannel is on, and back to /etc/cni/net.d and /opt/cni/bin when it is off. The agent writes where the chart tells it, is healthy, and the runtime never sees the file. RKE2, Talos and kubeadm use the defaults.',
  references: [
    'k3s:pkg/agent/templates/templates_linux.go@06be48b',
    'k3s:pkg/agent/flannel/setup.go@05f0cdf',
    'rke2:pkg/cli/defaults/defaults.go@6ce1a80',
  ],
  foretell,
  signs: { occurrences: [] },
};

function foretell(facts: ClusterFacts): Foretelling {
  const missing = missingTargets(facts);
  if (missing.length > 0) return judgedInPart([], missing);
  const { distribution } = facts.cluster;
  if (!distribution.known) return judgedInPart([], [MISSING.distribution]);
  const k3s = distribution.value === 'k3s';
  if (k3s && !facts.sourceCni.known) return judgedInPart([], [MISSING.sourceCni]);
  const bundledFlannel = k3s && facts.sourceCni.known && facts.sourceCni.value === 'flannel';
  const { kubernetesVersion: version } = facts.cluster;
  const looked = cniDirectories(distribution.value, {
    bundledFlannel,
    ...(version.known ? { kubernetesVersion: version.value } : {}),
  });
  return judged(chartTargets(facts).flatMap((chart) => judge(chart, looked, bundledFlannel)));
}

const KEYS = { confDir: 'cni.confPath', binDir: 'cni.binPath' } as const;

function judge(
  chart: ChartTarget,
  looked: CniDirectories,
  bundledFlannel: boolean,
): readonly Finding[] {
  const { target } = chart;
  const { confPath, binPath } = effectiveOf(chart, chart.versions.at(-1) ?? '');
  const written: CniDirectories = { confDir: confPath, binDir: binPath };
  return (['confDir', 'binDir'] as const).flatMap((which) => {
    if (written[which] === looked[which]) return [];
    const key = KEYS[which];
    const set = target.at(key);
    return [
      finding(hazard, {
        certainty: bundledFlannel && which === 'binDir' ? 'likely' : 'proven',
        message: `${key} ${set === undefined ? 'is not set and' : 'is set and'} stands for ${written[which]}. The runtime looks in ${looked[which]}${bundledFlannel ? ' while the bundled Flannel is on (older releases of K3s keep the plugins under a hash)' : ''}.`,
        evidence: [evidenceAt(set?.source ?? target.values.nearest(key), set?.value)],
        fix: bundledFlannel
          ? {
              summary:
                'Write both paths for the time that Flannel runs; with --flannel-backend=none the runtime goes back to the defaults, and the values have to follow in the same step.',
              patch: `cni:\n  confPath: ${looked.confDir}\n  binPath: ${looked.binDir}\n`,
            }
          : { summary: `Leave ${key} out.` },
      }),
    ];
  });
}
