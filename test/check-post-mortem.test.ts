/**
 * What `check` must find in the post-mortem's own files, each at its place, through the real intake:
 * two values files and its Talos patches, copied as printed. Where the post-mortem's story does not
 * hold, the finding that the story would call for must not be there.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { evaluateHazards } from '../src/hazards/registry.ts';
import { deriveFacts } from '../src/intake/facts.ts';
import { readInput } from '../src/intake/read-input.ts';
import type { CheckReport, Finding } from '../src/model/finding.ts';

const ROOT = join(import.meta.dirname, '..');
const FIXTURES = 'test/fixtures/post-mortem';
const FOUR_FILES = [
  'values.yaml',
  'values-talos.yaml',
  'talos-dns-patch.yaml',
  'talos-network-patch.yaml',
];

interface Versions {
  readonly ciliumVersion?: string;
  readonly talosVersion?: string;
}

const TOLD: Versions = { ciliumVersion: '1.16.5', talosVersion: '1.10.2' };

function check(names: readonly string[], versions: Versions = TOLD): CheckReport {
  const files = names.map((name) => {
    const path = name.includes('/') ? name : `${FIXTURES}/${name}`;
    return { path: name, text: readFileSync(join(ROOT, path), 'utf8') };
  });
  const { talosVersion } = versions;
  const facts = deriveFacts(
    readInput(files, versions),
    talosVersion === undefined ? {} : { talosVersion },
  );
  return evaluateHazards(facts);
}

function places({ findings }: CheckReport, hazard: string): readonly string[] {
  return findings
    .filter((finding) => finding.hazard === hazard)
    .map(({ certainty, evidence }) =>
      [certainty, ...evidence.map(({ source }) => source)].join(' '),
    );
}

function only({ findings }: CheckReport, hazard: string): Finding | undefined {
  return findings.find((finding) => finding.hazard === hazard);
}

describe("the post-mortem's two values files and two Talos patches", () => {
  const report = check(FOUR_FILES);

  test.each([
    [
      'kubeProxyReplacement: strict, removed in chart 1.16',
      'kube-proxy-replacement-spelling',
      ['proven values-talos.yaml:15:23', 'proven values.yaml:17:23'],
    ],
    [
      'the capability strings that are not lists',
      'capabilities-not-a-list',
      [
        'proven values-talos.yaml:22:18',
        'proven values-talos.yaml:23:23',
        'proven values.yaml:23:18',
        'proven values.yaml:24:23',
      ],
    ],
    [
      'customConf with exclusive: the agent never takes over',
      'custom-conf-without-path',
      [
        'proven values-talos.yaml:9:15 values-talos.yaml:8:14',
        'proven values.yaml:11:15 values.yaml:10:14',
      ],
    ],
    [
      'cluster.network.forwardKubeDNSToHost, an unknown key',
      'unknown-talos-key',
      ['proven talos-dns-patch.yaml:4:5', 'proven talos-network-patch.yaml:6:5'],
    ],
    [
      'no k8sServiceHost in the first values although kube-proxy goes',
      'api-server-address-missing',
      ['proven values.yaml:17:23 talos-network-patch.yaml:8:15'],
    ],
    [
      'bpf.masquerade without an effective replacement of kube-proxy',
      'bpf-masquerade-without-node-port',
      [
        'proven values-talos.yaml:12:15 values-talos.yaml:15:23',
        'proven values.yaml:14:15 values.yaml:17:23',
      ],
    ],
    [
      'nodePort.enabled, redundant',
      'service-flags-redundant',
      ['proven values-talos.yaml:17:12', 'proven values.yaml:19:12'],
    ],
    [
      'the pool changed in place',
      'pool-changed-in-place',
      ['proven values-talos.yaml:5:34 values.yaml:5:34'],
    ],
    [
      "the reasoning about tunnelPort: Talos's Flannel is on 4789",
      'vxlan-port',
      ['likely values.yaml:7:13'],
    ],
    ['the pod pool outside podSubnets', 'pool-outside-pod-subnets', ['likely values.yaml:5:34']],
    [
      'kube-proxy and CNI taken away in one patch',
      'kube-proxy-removed-with-cni',
      ['proven talos-network-patch.yaml:8:15 talos-network-patch.yaml:5:13'],
    ],
  ])('%s', (_, hazard, expected) => {
    expect(places(report, hazard)).toEqual(expected);
  });

  test('the right place of the unknown key is named, with a patch', () => {
    expect(only(report, 'unknown-talos-key')?.fix).toEqual({
      summary: 'Write machine.features.hostDNS.forwardKubeDNSToHost instead.',
      patch: 'machine:\n  features:\n    hostDNS:\n      forwardKubeDNSToHost: false\n',
    });
  });

  test('nodePort.enabled is said to be gone from chart 1.19', () => {
    expect(only(report, 'service-flags-redundant')?.title).toContain('gone from chart 1.19');
  });

  test('the node IP can flip, and the cure is not podSubnets', () => {
    const finding = only(report, 'pool-outside-pod-subnets');
    expect(finding).toMatchObject({ severity: 'critical', covers: ['FM-09'] });
    expect(finding?.fix?.patch).toContain('validSubnets');
    expect(finding?.fix?.summary).toContain('Do not add the pool to podSubnets');
  });

  test('the story that does not hold is not repeated', () => {
    // The values have hostLegacyRouting: their DNS outage was no host routing.
    expect(places(report, 'host-dns-behind-host-routing')).toEqual([]);
    // The capability lists, had they been lists, are right for Talos.
    expect(places(report, 'sys-module-on-talos')).toEqual([]);
    // The last values name the API server.
    expect(places(report, 'api-server-address-missing').join()).not.toContain('values-talos');
  });

  test('every finding points into a file, with a fix', () => {
    for (const finding of report.findings) {
      expect(finding.evidence[0]).toMatchObject({
        file: expect.stringMatching(/\.yaml$/),
        line: expect.any(Number),
        column: expect.any(Number),
      });
      expect(finding.fix).not.toBeNull();
    }
  });
});

describe('with more, or less, of what there was', () => {
  test('the runbook shows the OS upgrade in the middle of the change', () => {
    const runbook = 'scenarios/post-mortem/as-it-was-done.yaml';
    const finding = only(check([...FOUR_FILES, runbook]), 'os-upgrade-mixed-in');
    expect(finding).toMatchObject({ certainty: 'proven', covers: ['FM-62'] });
    expect(finding?.evidence[0]).toMatchObject({
      file: runbook,
      line: expect.any(Number),
      path: expect.stringMatching(/^steps\[\d+\]$/),
    });
  });

  test('the patch that takes only the CNI away is fine as it is', () => {
    const report = check(['talos-cni-none.yaml']);
    expect(report.findings).toEqual([]);
    const newer = check(['talos-cni-none.yaml'], { talosVersion: '1.13.2' });
    expect(newer.findings.map(({ hazard }) => hazard)).toEqual([
      'upgrade-k8s-prunes',
      'talos-health-blind',
    ]);
  });

  test('without a chart version what depends on it is possible, and the version asked for', () => {
    const report = check(FOUR_FILES, {});
    expect(places(report, 'kube-proxy-replacement-spelling')).toEqual([
      'possible values-talos.yaml:15:23',
      'possible values.yaml:17:23',
    ]);
    expect(places(report, 'unknown-talos-key')).toHaveLength(2);
    const asked = report.unknown.find(({ hazard }) => hazard === 'kube-proxy-replacement-spelling');
    expect(asked?.missing).toEqual([
      'chart version of values.yaml (--cilium-version 1.x.y)',
      'chart version of values-talos.yaml (--cilium-version 1.x.y)',
    ]);
  });

  test('the same files with a chart that still took them', () => {
    const report = check(FOUR_FILES, { ciliumVersion: '1.15.19', talosVersion: '1.10.2' });
    expect(only(report, 'kube-proxy-replacement-spelling')?.severity).toBe('low');
    expect(places(report, 'bpf-masquerade-without-node-port')).toEqual([]);
    expect(places(report, 'capabilities-not-a-list')).toHaveLength(4);
  });

  test('and with one that dropped more', () => {
    const report = check(FOUR_FILES, { ciliumVersion: '1.19.6', talosVersion: '1.10.2' });
    expect(places(report, 'chart-value-removed')).toEqual([
      'proven values-talos.yaml:17:3',
      'proven values.yaml:19:3',
    ]);
  });
});
