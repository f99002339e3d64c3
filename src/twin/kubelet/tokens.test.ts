/** Which token a pod holds when, and what the API server makes of it. */
import { describe, expect, it } from 'vitest';
import { kubeletWorld, type KubeletWorld, podOn } from '../../../test/support/kubelet-world.ts';
import type { ApiVerdict, ServiceAccountToken } from '../world.ts';

function world(distributionVersion = '1.10.2'): KubeletWorld {
  const made = kubeletWorld({ nodes: [{ name: 'n' }], distributionVersion });
  createAccount(made);
  podOn(made, 'agent', 'n', { hostNetwork: true });
  made.run(5);
  return made;
}

function createAccount(from: KubeletWorld): void {
  from.store.create({
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'default', namespace: 'default' },
  });
}

function recreateAccount(from: KubeletWorld): void {
  from.kernel.because([], () => {
    from.kernel.occur('helm.release-uninstalled', { message: 'helm uninstall and install' });
    from.store.delete('ServiceAccount', 'default', 'default');
    createAccount(from);
  });
}

function token(from: KubeletWorld): ServiceAccountToken {
  const uid = from.store.get('Pod', 'default', 'agent')?.metadata.uid ?? '';
  const found = from.node('n').kubelet.tokenOf(uid);
  if (found === undefined) throw new Error('no token');
  return found;
}

function check(from: KubeletWorld): ApiVerdict {
  return from.api.check({ kind: 'token', token: token(from) });
}

describe('a projected token', () => {
  it('is asked for at pod start and again after 48 minutes', () => {
    const twin = world();
    const first = token(twin).issuedAtMs;
    twin.run(2_885);
    expect(token(twin).issuedAtMs).toBe(first);
    twin.run(100);
    const second = token(twin).issuedAtMs;
    expect((second - first) / 1000).toBeGreaterThanOrEqual(2_886);
    expect((second - first) / 1000).toBeLessThanOrEqual(2_976);
    expect(check(twin).ok).toBe(true);
  });

  it('is accepted for long after the hour it was asked for', () => {
    const twin = world();
    const old = token(twin);
    twin.run(7_200);
    expect(twin.api.check({ kind: 'token', token: old }).ok).toBe(true);
    twin.run(31_536_000);
    expect(twin.api.check({ kind: 'token', token: old })).toMatchObject({
      failure: 'unauthorized',
    });
  });

  it('goes on naming a deleted account until its refresh, since the cache is not keyed by the UID', () => {
    const twin = world();
    twin.run(600);
    recreateAccount(twin);
    twin.run(60);
    expect(check(twin)).toMatchObject({
      ok: false,
      failure: 'unauthorized',
      message: 'Unauthorized',
    });
    const reason = twin.kernel.occurrences.find(
      ({ kind }) => kind === 'token.service-account-recreated',
    );
    expect(reason?.message).toMatch(/service account UID \(.+\) does not match claim \(.+\)/);
    const causes = (reason?.because ?? []).map((id) => twin.kernel.occurrence(id).kind);
    expect(causes).toContain('helm.release-uninstalled');
    twin.run(2_976);
    expect(check(twin).ok).toBe(true);
  });

  it.each([
    ['a restart of the kubelet', (twin: KubeletWorld) => twin.node('n').kubelet.restart()],
    [
      'a reboot',
      (twin: KubeletWorld) => {
        twin.powerOff('n');
        twin.powerOn('n');
      },
    ],
    [
      'a new pod in its place',
      (twin: KubeletWorld) => {
        twin.store.delete('Pod', 'default', 'agent', 0);
        podOn(twin, 'agent', 'n', { hostNetwork: true });
      },
    ],
  ])('is fresh after %s', (_name, act) => {
    const twin = world();
    twin.run(600);
    recreateAccount(twin);
    twin.run(60);
    expect(check(twin).ok).toBe(false);
    act(twin);
    twin.run(30);
    expect(check(twin).ok).toBe(true);
  });

  it('stays what it was when a Talos 1.13.0–1.13.2 kubelet restarts (talos#13352)', () => {
    const [broken, fixed] = [world('1.13.1'), world('1.13.3')];
    for (const twin of [broken, fixed]) {
      const before = token(twin).issuedAtMs;
      twin.run(600);
      twin.node('n').kubelet.restart();
      twin.run(7_200);
      expect(token(twin).issuedAtMs > before).toBe(twin === fixed);
    }
    expect(broken.kernel.occurrences.map(({ kind }) => kind)).toContain('kubelet.token-mount-lost');
  });

  it('is worth nothing once its pod is gone', () => {
    const twin = world();
    const old = token(twin);
    twin.store.delete('Pod', 'default', 'agent', 0);
    expect(twin.api.check({ kind: 'token', token: old }).ok).toBe(false);
    podOn(twin, 'agent', 'n', { hostNetwork: true });
    expect(twin.api.check({ kind: 'token', token: old }).ok).toBe(false);
    expect(twin.api.unauthorizedCount()).toBe(2);
  });
});
