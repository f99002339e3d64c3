/** Effective settings: what follows from values and version together. */
import { assert, boolean, constantFrom, property, record } from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ConfigMapObject } from '../../model/kubernetes.ts';
import { CHART_VALUES, rowEffect } from './chart-values.ts';
import { effectiveCilium } from './effective.ts';
import { renderCiliumChart } from './render.ts';

describe('conf ownership', () => {
  it('follows what the chart renders, for any mix of the cni values', () => {
    const cni = record(
      {
        customConf: boolean(),
        exclusive: boolean(),
        install: boolean(),
        configMap: constantFrom('', 'mine'),
      },
      { requiredKeys: [] },
    );
    const versions = constantFrom('1.14.19', '1.16.5', '1.18.12', '1.20.0');
    assert(
      property(versions, cni, (version, values) => {
        const request = { version, namespace: 'kube-system', release: 'cilium' };
        const result = renderCiliumChart({ ...request, values: { cni: values } });
        const configMap = result.ok
          ? result.objects.find((object): object is ConfigMapObject => object.kind === 'ConfigMap')
          : undefined;
        const effective = effectiveCilium(version, { cni: values });
        const path = configMap?.data?.['write-cni-conf-when-ready'];
        expect(effective.writesConf).toBe(path !== undefined);
        expect(effective.exclusive).toBe(configMap?.data?.['cni-exclusive'] === 'true');
      }),
    );
  });
});

describe('kube-proxy replacement', () => {
  it.each([
    ['1.15.19', 'strict', true, true],
    ['1.16.5', 'strict', false, false],
    ['1.13.18', true, false, false],
    ['1.16.5', true, true, true],
    ['1.16.5', 'true', true, true],
    ['1.16.5', false, true, false],
    ['1.15.19', 'partial', true, false],
  ])('on %s, %s: accepted %s, full %s', (version, value, accepted, full) => {
    const { kubeProxyReplacement } = effectiveCilium(version, { kubeProxyReplacement: value });
    expect(kubeProxyReplacement).toMatchObject({ accepted, full });
  });

  it('leaves NodePort to its own value until 1.18', () => {
    const values = { nodePort: { enabled: true } };
    expect(effectiveCilium('1.18.12', values).nodePort).toBe(true);
    expect(effectiveCilium('1.19.6', values).nodePort).toBe(false);
    expect(effectiveCilium('1.19.6', { kubeProxyReplacement: true }).nodePort).toBe(true);
  });
});

describe('host routing', () => {
  const full = { kubeProxyReplacement: true, bpf: { masquerade: true } };

  it('is on by itself with full replacement and BPF masquerade', () => {
    expect(effectiveCilium('1.16.5', full).hostRoutingActive).toBe(true);
  });

  it.each([
    ['legacy routing', { bpf: { masquerade: true, hostLegacyRouting: true } }],
    ['kube-proxy kept', { kubeProxyReplacement: false, nodePort: { enabled: true } }],
    ['masquerading by iptables', { bpf: { masquerade: false } }],
    ['IPsec', { encryption: { enabled: true, type: 'ipsec' } }],
    ['chaining', { cni: { chainingMode: 'portmap' } }],
  ])('is off with %s', (_, change) => {
    expect(effectiveCilium('1.16.5', { ...full, ...change }).hostRoutingActive).toBe(false);
  });

  it('goes with IPsec from 1.19 on, and with masquerading off altogether', () => {
    const ipsec = { ...full, encryption: { enabled: true, type: 'ipsec' } };
    expect(effectiveCilium('1.19.6', ipsec).hostRoutingActive).toBe(true);
    const none = { kubeProxyReplacement: true, enableIPv4Masquerade: false };
    expect(effectiveCilium('1.16.5', none).hostRoutingActive).toBe(true);
  });
});

describe('refusals of the agent', () => {
  it('BPF masquerade without NodePort, from 1.15 on', () => {
    expect(refusedPaths('1.14.19')).toEqual([]);
    expect(refusedPaths('1.16.5')).toEqual(['bpf.masquerade']);
  });

  it('direct node routes beside a tunnel', () => {
    const values = { autoDirectNodeRoutes: true };
    expect(effectiveCilium('1.16.5', values).refusals).toHaveLength(1);
    const native = { ...values, routingMode: 'native', ipv4NativeRoutingCIDR: '10.0.0.0/8' };
    expect(effectiveCilium('1.16.5', native).refusals).toEqual([]);
  });
});

describe('tunnel', () => {
  it.each([
    ['1.16.5', {}, 'vxlan', 8472],
    ['1.16.5', { tunnelPort: 8473 }, 'vxlan', 8473],
    ['1.16.5', { tunnelProtocol: 'geneve' }, 'geneve', 6081],
    ['1.13.18', { tunnel: 'geneve' }, 'geneve', 6081],
    ['1.15.0', { tunnel: 'geneve' }, 'vxlan', 8472],
    ['1.14.19', { tunnel: 'disabled' }, 'none', undefined],
    ['1.16.5', { routingMode: 'native' }, 'none', undefined],
  ])('on %s with %j', (version, values, protocol, port) => {
    expect(effectiveCilium(version, values)).toMatchObject({
      tunnelProtocol: protocol,
      tunnelPort: port,
    });
  });
});

describe('the table of chart values', () => {
  it('names each value once, and a message wherever the templates fail', () => {
    const paths = CHART_VALUES.map(({ path }) => path);
    expect(new Set(paths).size).toBe(paths.length);
    for (const row of CHART_VALUES) {
      expect(row.fails === 'template-fail').toBe(row.message !== undefined);
    }
  });

  it('agrees with the rendering: a row that fails stops it, others do not', () => {
    for (const version of [
      '1.14.19',
      '1.15.0',
      '1.15.19',
      '1.16.1',
      '1.16.5',
      '1.18.12',
      '1.20.0',
    ]) {
      for (const row of CHART_VALUES) {
        const values = row.path
          .split('.')
          .toReversed()
          .reduce<unknown>(
            (inner, key) => ({ [key]: inner }),
            row.path.endsWith('CIDR') ? '10.0.0.0/8' : 'x',
          );
        const rendered = renderCiliumChart({
          version,
          values: values as Record<string, unknown>,
          namespace: 'kube-system',
          release: 'cilium',
        });
        const problems = rendered.ok
          ? []
          : rendered.problems.filter(({ kind }) => kind === 'template');
        const effect = rowEffect(row, version);
        expect([row.path, version, problems.length > 0 || hasSchemaError(rendered)]).toEqual([
          row.path,
          version,
          effect === 'template-fail' || hasSchemaError(rendered),
        ]);
      }
    }
  });
});

function hasSchemaError(result: ReturnType<typeof renderCiliumChart>): boolean {
  return !result.ok && result.problems.some(({ kind }) => kind === 'schema');
}

function refusedPaths(version: string): readonly string[] {
  return effectiveCilium(version, { bpf: { masquerade: true } }).refusals.map(({ path }) => path);
}
