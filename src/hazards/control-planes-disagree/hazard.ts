/** FM-35: control planes whose configs do not agree about CNI or kube-proxy. */
import type { ClusterFacts, MachineConfigFacts } from '../../model/facts.ts';
import { evidenceAt } from '../../model/finding.ts';
import type { Evidence, Finding } from '../../model/finding.ts';
import type { Foretelling, Hazard } from '../../model/hazard.ts';
import { finding, firstOf, judged, judgedInPart, listOf } from '../finding.ts';
import { isTalos, missingTalos } from '../talos.ts';

export const hazard: Hazard = {
  id: 'control-planes-disagree',
  covers: ['FM-35'],
  title: 'Control planes do not agree about the CNI',
  severity: 'high',
  holdsFor: 'Talos 1.7 to 1.14',
  why: 'Each control plane renders the bootstrap manifests from its own config and creates what is missing. One that still says flannel, or still has kube-proxy, makes the DaemonSet again after it was deleted, at the next start of its controllers.',
  references: [
    'talos:internal/app/machined/pkg/controllers/k8s/manifest.go@v1.13.9',
    'talos:internal/app/machined/pkg/controllers/k8s/manifest_apply.go@v1.10.5',
    'siderolabs/talos#10923',
  ],
  foretell,
  signs: { occurrences: [] },
};

const MISSING_CONTROL_PLANES =
  'machine configs of all control planes (talosctl get machineconfig -o yaml)';

function foretell(facts: ClusterFacts): Foretelling {
  const missing = missingTalos(facts);
  if (missing.length > 0) return judgedInPart([], missing);
  if (isTalos(facts) !== true) return judged();
  const configs = facts.machineConfigs.filter(isControlPlane);
  const read = facts.nodes.known
    ? facts.nodes.value.filter(({ role }) => role.known && role.value === 'control-plane').length
    : undefined;
  const all = configs.length > 0 && (read === undefined || configs.length >= read);
  return judgedInPart(
    [
      ...disagreement(configs, 'the CNI', ({ cniName }) => cniName),
      ...disagreement(configs, 'kube-proxy', ({ proxyDisabled }) => proxyDisabled),
    ],
    all ? [] : [MISSING_CONTROL_PLANES],
  );
}

function isControlPlane({ kind, machineType }: MachineConfigFacts): boolean {
  return kind === 'config' && machineType.known && machineType.value === 'controlplane';
}

function disagreement(
  configs: readonly MachineConfigFacts[],
  what: string,
  fact: (config: MachineConfigFacts) => MachineConfigFacts['cniName' | 'proxyDisabled'],
): readonly Finding[] {
  const told = configs.flatMap((config) => {
    const value = fact(config);
    return value.known ? [{ config, value: String(value.value), source: value.source }] : [];
  });
  const values = [...new Set(told.map(({ value }) => value))];
  if (values.length < 2) return [];
  const groups = values.map((value) => {
    const names = told.flatMap((entry) => (entry.value === value ? [nameOf(entry.config)] : []));
    return `${value} on ${listOf(names)}`;
  });
  const evidence: readonly Evidence[] = values.flatMap((value) => {
    const one = told.find((entry) => entry.value === value);
    return one === undefined ? [] : [evidenceAt(one.source, value)];
  });
  return [
    finding(hazard, {
      certainty: 'proven',
      message: `Control planes differ in what they say about ${what}: ${groups.join('; ')}. Whichever still renders the old manifests creates them again when they are gone.`,
      evidence: firstOf(evidence),
      fix: {
        summary:
          'Apply the same setting to every control plane, look that all have it, and only then delete objects.',
      },
    }),
  ];
}

function nameOf({ node, input }: MachineConfigFacts): string {
  return node.known ? node.value : (input.source.file ?? 'a control plane');
}
