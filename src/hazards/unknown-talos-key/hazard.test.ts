import { expect, test } from 'vitest';
import { factsFrom } from '../testing.ts';
import { hazard } from './hazard.ts';

const PATCH = `cluster:
  network:
    forwardKubeDNSToHost: false
`;

function patch(text: string, talosVersion?: string) {
  const cluster = talosVersion === undefined ? {} : { cluster: { talosVersion } };
  return factsFrom({ ...cluster, machineConfigs: [{ text, file: 'patch.yaml', kind: 'patch' }] });
}

test('a key in the wrong place, with the right one', () => {
  const { findings, missing } = hazard.foretell(patch(PATCH, '1.10.2'));
  expect(missing).toEqual([]);
  expect(findings).toMatchObject([
    {
      severity: 'critical',
      certainty: 'proven',
      evidence: [
        { source: 'patch.yaml:3:5', path: 'cluster.network.forwardKubeDNSToHost', value: false },
      ],
      fix: {
        summary: 'Write machine.features.hostDNS.forwardKubeDNSToHost instead.',
        patch: 'machine:\n  features:\n    hostDNS:\n      forwardKubeDNSToHost: false\n',
      },
    },
  ]);
});

test('from 1.14 the document form is the right place', () => {
  const { findings } = hazard.foretell(patch(PATCH, '1.14.0-rc.1'));
  expect(findings[0]?.fix?.patch).toBe(
    'apiVersion: v1alpha1\nkind: ResolverConfig\nhostDNS:\n  forwardKubeDNSToHost: false\n',
  );
});

test('unknown in every version: proven without knowing which', () => {
  expect(hazard.foretell(patch(PATCH))).toMatchObject({
    findings: [{ certainty: 'proven' }],
    missing: [],
  });
});

test('unknown in some versions only: possible, and the version is asked for', () => {
  const text = 'cluster: {network: {cni: {flannel: {kubeNetworkPoliciesEnabled: true}}}}\n';
  expect(hazard.foretell(patch(text))).toMatchObject({
    findings: [{ certainty: 'possible', severity: 'medium' }],
    missing: ['the version of Talos (--talos-version 1.x.y)'],
  });
  expect(hazard.foretell(patch(text, '1.13.2')).findings).toEqual([]);
});

test('a kind of document that came later', () => {
  const text = 'apiVersion: v1alpha1\nkind: KubePrismConfig\nport: 7445\n';
  expect(hazard.foretell(patch(text, '1.12.0')).findings).toMatchObject([
    { severity: 'critical', evidence: [{ line: 2, column: 7 }] },
  ]);
});

test('near miss: the key where it belongs, and sysctls of any name', () => {
  const text = `machine:
  sysctls: {net.ipv4.ip_forward: "1"}
  features: {hostDNS: {forwardKubeDNSToHost: false}}
`;
  expect(hazard.foretell(patch(text, '1.10.2'))).toEqual({ findings: [], missing: [] });
});

test('unknown: no machine config was read', () => {
  expect(hazard.foretell(factsFrom()).missing).toHaveLength(1);
});
