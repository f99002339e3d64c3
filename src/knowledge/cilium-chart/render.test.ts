/** The chart's model against what the shipped charts were read and validated to do. */
import { describe, expect, it } from 'vitest';
import type { ConfigMapObject, DaemonSetObject, DeploymentObject } from '../../model/kubernetes.ts';
import { chartProblems, renderCiliumChart, type RenderResult } from './render.ts';
import type { ChartValues } from './values.ts';

const CAPABILITIES = '{CHOWN,KILL,NET_ADMIN}';

function render(version: string, values: ChartValues): RenderResult {
  return renderCiliumChart({ version, values, namespace: 'kube-system', release: 'cilium' });
}

function config(version: string, values: ChartValues): Readonly<Record<string, string>> {
  return (
    objectOf<ConfigMapObject>(render(version, values), 'ConfigMap', 'cilium-config').data ?? {}
  );
}

function objectOf<T>(result: RenderResult, kind: string, name: string): T {
  if (!result.ok) throw new Error(result.message);
  const found = result.objects.find(
    (object) => object.kind === kind && object.metadata.name === name,
  );
  if (found === undefined) throw new Error(`no ${kind} ${name}`);
  // The test names the kind it asks for.
  return found as T;
}

function agentTemplate(values: ChartValues): string {
  const agent = objectOf<DaemonSetObject>(render('1.16.5', values), 'DaemonSet', 'cilium');
  return JSON.stringify(agent.spec.template);
}

function withExclusive(value: boolean, rollOutCiliumPods: boolean): ChartValues {
  return { cni: { exclusive: value }, rollOutCiliumPods };
}

function initNames(version: string): readonly string[] {
  const values = { daemon: { configSources: 'config-map:cilium-config' } };
  const agent = objectOf<DaemonSetObject>(render(version, values), 'DaemonSet', 'cilium');
  return (agent.spec.template.spec.initContainers ?? []).map(({ name }) => name);
}

function hasEnvoy(version: string, values: ChartValues = {}): boolean {
  const result = render(version, values);
  return result.ok && result.objects.some(({ metadata }) => metadata.name === 'cilium-envoy');
}

describe('refusals', () => {
  it('refuses capability strings from 1.16 on, with two schema errors', () => {
    const capabilities = { ciliumAgent: CAPABILITIES, cleanCiliumState: CAPABILITIES };
    for (const version of ['1.16.0', '1.16.5', '1.17.18', '1.18.12', '1.19.6', '1.20.0']) {
      const result = render(version, { securityContext: { capabilities } });
      expect(result).toMatchObject({
        ok: false,
        problems: [
          {
            path: 'securityContext.capabilities.ciliumAgent',
            kind: 'schema',
            message: 'got string, want array',
          },
          { path: 'securityContext.capabilities.cleanCiliumState', kind: 'schema' },
        ],
      });
      expect(result.ok ? '' : result.message).toMatch(
        /^Error: values don't meet the specifications/,
      );
    }
  });

  it('lets the capability string through to the API server before 1.16', () => {
    const result = render('1.15.19', {
      securityContext: { capabilities: { ciliumAgent: CAPABILITIES } },
    });
    const agent = objectOf<DaemonSetObject>(result, 'DaemonSet', 'cilium').spec.template.spec;
    expect(agent.containers[0]?.securityContext?.capabilities?.add).toBe(CAPABILITIES);
  });

  it.each([
    ['1.13.18', 'strict', undefined],
    ['1.14.19', 'strict', undefined],
    ['1.15.0', 'strict', undefined],
    ['1.16.0', 'strict', 'true or false'],
    ['1.16.5', 'partial', 'true or false'],
    ['1.20.0', 'disabled', 'true or false'],
    ['1.13.18', true, 'disabled, partial, or strict'],
    ['1.14.19', 'probe', 'true, false, disabled (deprecated)'],
    ['1.16.5', true, undefined],
    ['1.16.5', 'false', undefined],
  ])('chart %s with kubeProxyReplacement %s', (version, value, words) => {
    const result = render(version, { kubeProxyReplacement: value });
    expect(result.ok).toBe(words === undefined);
    expect(result.ok ? '' : result.message).toContain(words ?? '');
  });

  it('ignores tunnel in 1.15.0 to 1.15.7 and 1.16.0 to 1.16.1 only', () => {
    const outcomes = ['1.14.19', '1.15.7', '1.15.8', '1.16.1', '1.16.2', '1.18.0'].map(
      (version) => render(version, { tunnel: 'geneve' }).ok,
    );
    expect(outcomes).toEqual([true, true, false, true, false, false]);
    expect(config('1.14.19', { tunnel: 'geneve' })['tunnel-protocol']).toBe('geneve');
    expect(config('1.15.7', { tunnel: 'geneve' })['tunnel-protocol']).toBe('vxlan');
  });

  it('reports the schema before the templates, and all problems when asked', () => {
    const values = {
      kubeProxyReplacement: 'strict',
      securityContext: { capabilities: { ciliumAgent: 'x' } },
    };
    const result = render('1.16.5', values);
    expect(result.ok ? [] : result.problems.map(({ kind }) => kind)).toEqual(['schema']);
    expect(chartProblems('1.16.5', values).map(({ kind }) => kind)).toEqual(['schema', 'template']);
  });

  it('asks for a native routing CIDR from 1.18 on', () => {
    const values = { routingMode: 'native', enableIPv4Masquerade: true };
    expect(render('1.17.18', values).ok).toBe(true);
    expect(render('1.18.12', values).ok).toBe(false);
    expect(render('1.18.12', { ...values, ipv4NativeRoutingCIDR: '10.245.0.0/16' }).ok).toBe(true);
    expect(render('1.18.12', { ...values, enableIPv4Masquerade: false }).ok).toBe(true);
  });

  it('lets unknown keys pass', () => {
    expect(render('1.20.0', { cni: { exlusive: true }, nodePort: { enabled: true } }).ok).toBe(
      true,
    );
  });
});

describe('the CNI conf keys', () => {
  it('are rendered for default values', () => {
    expect(config('1.16.5', {})).toMatchObject({
      'write-cni-conf-when-ready': '/host/etc/cni/net.d/05-cilium.conflist',
      'cni-exclusive': 'true',
      'custom-cni-conf': 'false',
    });
  });

  it('are absent with customConf, whatever exclusive says', () => {
    const data = config('1.16.5', { cni: { customConf: true, exclusive: true } });
    expect(data['custom-cni-conf']).toBe('true');
    expect(Object.keys(data)).not.toContain('write-cni-conf-when-ready');
    expect(Object.keys(data)).not.toContain('cni-exclusive');
  });

  it('keep the path alone with customConf and a ConfigMap', () => {
    const data = config('1.16.5', { cni: { customConf: true, configMap: 'mine' } });
    expect(data['write-cni-conf-when-ready']).toBe('/host/etc/cni/net.d/05-cilium.conflist');
    expect(Object.keys(data)).not.toContain('cni-exclusive');
  });

  it('are absent when nothing is installed', () => {
    expect(Object.keys(config('1.18.3', { cni: { install: false } }))).not.toContain(
      'cni-exclusive',
    );
  });
});

describe('objects', () => {
  it('carry the API server address everywhere when it is set', () => {
    const result = render('1.16.5', { k8sServiceHost: 'localhost', k8sServicePort: 7445 });
    const agent = objectOf<DaemonSetObject>(result, 'DaemonSet', 'cilium').spec.template.spec;
    const operator = objectOf<DeploymentObject>(result, 'Deployment', 'cilium-operator').spec
      .template.spec;
    const host = { name: 'KUBERNETES_SERVICE_HOST', value: 'localhost' };
    const port = { name: 'KUBERNETES_SERVICE_PORT', value: '7445' };
    expect(agent.containers[0]?.env).toContainEqual(host);
    expect(agent.initContainers?.find(({ name }) => name === 'config')?.env).toContainEqual(port);
    expect(operator.containers[0]?.env).toContainEqual(port);
    expect(operator.hostNetwork).toBe(true);
  });

  it('do not roll the agent for a ConfigMap change unless told to', () => {
    expect(agentTemplate(withExclusive(true, false))).toBe(
      agentTemplate(withExclusive(false, false)),
    );
    expect(agentTemplate(withExclusive(true, true))).not.toBe(
      agentTemplate(withExclusive(false, true)),
    );
  });

  it('leave out the config container from 1.19 with a single ConfigMap source', () => {
    expect(initNames('1.18.12')).toContain('config');
    expect(initNames('1.19.6')).not.toContain('config');
  });

  it('have an Envoy of their own for first installs since 1.16', () => {
    expect(hasEnvoy('1.15.19')).toBe(false);
    expect(hasEnvoy('1.16.5')).toBe(true);
    expect(hasEnvoy('1.16.5', { upgradeCompatibility: '1.15' })).toBe(false);
  });

  it('follow the chart version in their images', () => {
    const result = render('v1.17.4', {});
    const agent = objectOf<DaemonSetObject>(result, 'DaemonSet', 'cilium').spec.template.spec;
    expect(agent.containers[0]?.image).toBe('quay.io/cilium/cilium:v1.17.4');
    const operator = objectOf<DeploymentObject>(result, 'Deployment', 'cilium-operator').spec;
    expect(operator.template.spec.containers[0]?.image).toBe(
      'quay.io/cilium/operator-generic:v1.17.4',
    );
    expect(operator.replicas).toBe(2);
  });
});

describe('by version', () => {
  it('writes the watcher interval as a duration from 1.19', () => {
    expect(config('1.18.12', {})['unmanaged-pod-watcher-interval']).toBe('15');
    expect(config('1.19.6', {})['unmanaged-pod-watcher-interval']).toBe('15s');
    const off = { operator: { unmanagedPodWatcher: { restart: false } } };
    expect(config('1.19.6', off)['unmanaged-pod-watcher-interval']).toBe('0');
  });

  it('drops the single service flags as the charts did', () => {
    const values = { nodePort: { enabled: true } };
    expect(config('1.18.12', values)['enable-node-port']).toBe('true');
    expect(Object.keys(config('1.19.6', values))).not.toContain('enable-node-port');
    const replaced = { ...values, kubeProxyReplacement: true };
    expect(Object.keys(config('1.18.12', replaced))).not.toContain('enable-node-port');
  });

  it('has the default pool from 1.14 on', () => {
    expect(config('1.13.18', {})['cluster-pool-ipv4-cidr']).toBe('');
    expect(config('1.16.5', {})['cluster-pool-ipv4-cidr']).toBe('10.0.0.0/8');
  });

  it('drops a default that the user sets to null, as Helm does', () => {
    expect(config('1.16.5', { cni: { exclusive: null } })['cni-exclusive']).toBe('');
  });
});
