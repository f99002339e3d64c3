import { describe, expect, it } from 'vitest';
import type { PodObject, PodSpec } from '../model/kubernetes.ts';
import { hostMounts, inContainer, onHost } from './host-mounts.ts';

function pod(spec: Partial<PodSpec>): PodObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p' },
    spec: { containers: [], ...spec },
    status: {},
  };
}

const AGENT = pod({
  containers: [
    {
      name: 'agent',
      volumeMounts: [
        { name: 'root', mountPath: '/host' },
        { name: 'cni', mountPath: '/host/etc/cni/net.d/', readOnly: true },
        { name: 'config', mountPath: '/host/etc/kubernetes' },
        { name: 'var', mountPath: '/state', subPath: 'lib/cni' },
      ],
    },
  ],
  volumes: [
    { name: 'root', hostPath: { path: '/' } },
    { name: 'cni', hostPath: { path: '/var/cni' } },
    { name: 'config', configMap: { name: 'c' } },
    { name: 'var', hostPath: { path: '/var/' } },
  ],
});

describe('host mounts', () => {
  const mounts = hostMounts(AGENT, 'agent');

  it('leads a path into the deepest mount', () => {
    expect(onHost(mounts, '/host/etc/cni/net.d/a.conf')).toEqual({
      path: '/var/cni/a.conf',
      readOnly: true,
    });
    expect(onHost(mounts, '/host/etc/hosts')).toMatchObject({ path: '/etc/hosts' });
    expect(onHost(mounts, '/etc/hosts')).toBeUndefined();
  });

  it('does not take a path for one that another mount hides', () => {
    expect(inContainer(mounts, '/etc/kubernetes/admin.conf')).toBeUndefined();
    expect(inContainer(mounts, '/etc/cni/net.d/a.conf')).toBeUndefined();
    expect(inContainer(mounts, '/var/cni/a.conf')).toBe('/host/etc/cni/net.d/a.conf');
  });

  it('follows a sub-path, and does not guess one that is an expression', () => {
    expect(onHost(mounts, '/state/networks/cbr0')?.path).toBe('/var/lib/cni/networks/cbr0');
    const guessed = pod({
      containers: [
        { name: 'a', volumeMounts: [{ name: 'v', mountPath: '/v', subPathExpr: '$(POD)' }] },
      ],
      volumes: [{ name: 'v', hostPath: { path: '/var' } }],
    });
    expect(inContainer(hostMounts(guessed, 'a'), '/var/x')).toBeUndefined();
  });

  it('is not misled by names that begin alike', () => {
    expect(inContainer(hostMounts(AGENT, 'none'), '/etc')).toBeUndefined();
    expect(onHost(mounts, '/hostile/x')).toBeUndefined();
  });
});
