/** Which chart is installed: the version that was told, if there is such a one and it can be. */
import { atLeast, minorOf } from '../base/versions.ts';
import { ciliumMinor } from '../knowledge/cilium-versions.ts';
import type { Intent } from './intent.ts';
import { refusal } from './refusal.ts';
import { decide, type Notes, type Situation } from './situation.ts';

/** Newest charts of the supported lines on 2026-09-22 (kubermatic/kubermatic#16534), oldest first. */
const SUPPORTED = ['1.18.14', '1.19.8', '1.20.2'] as const;
const NEWEST_KNOWN = '1.20.0';

/** Undefined when refused. */
export function chooseVersion(
  { target, kubernetesVersion }: Situation,
  intent: Intent,
  notes: Notes,
): string | undefined {
  const told =
    target?.chartVersion.known === true ? target.chartVersion.value : intent.chartVersion;
  const version = (told ?? defaultFor(kubernetesVersion)).replace(/^v/, '');
  if (told === undefined)
    decide(
      notes,
      'Cilium version',
      version,
      `no file tells the chart version (--cilium-version); of the supported lines it is the first that is tested with Kubernetes ${minorOf(kubernetesVersion)}, or the nearest`,
    );
  if (!/^1\.\d+\.\d+/.test(version)) {
    notes.refusals.push(
      refusal({
        id: 'cilium-version-unknown',
        covers: [],
        title: `${version} is no version of the Cilium chart`,
        message:
          'A plan installs one exact chart: its values, its manifests and what its agents do differ from one to the next.',
        fix: 'Name it in full, as 1.18.3 (--cilium-version).',
        command: 'helm search repo cilium/cilium --versions',
      }),
    );
    return undefined;
  }
  if (ciliumMinor(version) === undefined && atLeast(version, NEWEST_KNOWN)) {
    decide(
      notes,
      'Cilium version',
      version,
      `newer than what was read for this regauge (${minorOf(NEWEST_KNOWN)}): taken to be like that one`,
    );
  }
  if (!atLeast(version, '1.14.0')) {
    notes.refusals.push(
      refusal({
        id: 'cilium-version-unsupported',
        covers: [],
        title: `Cilium ${version} is too old for this road`,
        message:
          'Up to 1.13 a shell hook writes the CNI conf and removes it when the agent stops, and no per-node setting reaches that hook.',
        fix: 'Take a supported chart version: 1.18 or later.',
        references: ['cilium:plugins/cilium-cni/cni-uninstall.sh@v1.13.14'],
      }),
    );
    return undefined;
  }
  return version;
}

/** Of the supported lines the first that is tested with it, or the nearest. */
export function defaultFor(kubernetesVersion: string): string {
  const minor = minorOf(kubernetesVersion);
  const fitting = SUPPORTED.find((version) => {
    const [, last] = ciliumMinor(version)?.kubernetesTested ?? [];
    return last !== undefined && atLeast(last, minor);
  });
  return fitting ?? SUPPORTED[2];
}
