/**
 * The adapter over a program that stands for Helm. Goal: which Helm is taken, what is handed to it,
 * what is made of noise, refusals, silence and releases left half-way. Real Helm: test/contract/helm.
 */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { childEnvironment } from './environment.ts';
import { type HelmOptions, openHelm } from './open.ts';
import { type FakeAnswer, FakeHelm, historyLine } from './testing.ts';

const fakes: FakeHelm[] = [];
afterEach(() => {
  for (const fake of fakes.splice(0)) fake.remove();
});

function opened(answers: readonly FakeAnswer[], options: HelmOptions = {}) {
  const fake = new FakeHelm(answers);
  fakes.push(fake);
  const { binary, kubeconfig } = fake;
  const environment = { PATH: process.env['PATH'] };
  const helm = openHelm({ binary, kubeconfig, environment, settleMs: 0, ...options });
  return { fake, helm };
}

const history = (...lines: readonly object[]): FakeAnswer => ({
  to: 'history',
  stdout: `${JSON.stringify(lines)}\n`,
});
const DEPLOYED = history(historyLine(1, 'deployed'));
const NO_VALUES: FakeAnswer = { to: 'get values', stdout: 'null\n' };
const NONE: FakeAnswer = { to: 'history', stderr: 'Error: release: not found\n', exitCode: 1 };
const REQUEST = {
  release: 'cilium',
  namespace: 'kube-system',
  chart: 'cilium',
  version: 'v1.16.5',
  values: {},
} as const;

const named = (words: string, fake: FakeHelm) =>
  fake.calls().filter(({ args }) => args.join(' ').startsWith(words));

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('which Helm', () => {
  it('says what is missing and where to get it, when there is none', async () => {
    const { helm } = opened([], { binary: 'regauge-test-no-such-helm' });
    await expect(helm.status('cilium', 'kube-system')).rejects.toMatchObject({
      code: 'bad-input',
      message: 'Helm is needed, and regauge-test-no-such-helm cannot be used: it is not in PATH',
      hint: expect.stringContaining('https://helm.sh/docs/intro/install/'),
    });
  });

  it.each([
    ['v3.7.2', 'is Helm 3.7.2, which is too old'],
    ['v5.0.0', 'is Helm 5.0.0, which regauge does not know'],
    ['Client: &version.Version{SemVer:"v2.17.0"}', 'does not say its version as Helm does'],
  ])('does not take %s', async (stdout, message) => {
    const { helm } = opened([{ to: 'version', stdout }]);
    await expect(helm.version()).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringContaining(message),
    });
  });

  it.each(['v3.8.0', 'v3.19', 'WARNING: group-readable\nv4.0.5+g1b2c3d4\n'])(
    'takes %s and asks once',
    async (stdout) => {
      const { helm, fake } = opened([{ to: 'version', stdout }, NONE]);
      await helm.status('cilium', 'kube-system');
      await helm.history('cilium', 'kube-system');
      expect(named('version', fake)).toHaveLength(1);
    },
  );

  it('is HELM_BIN of the environment', async () => {
    const { fake } = opened([NONE]);
    const { kubeconfig, binary } = fake;
    const helm = openHelm({ kubeconfig, environment: { HELM_BIN: binary } });
    expect(await helm.status('cilium', 'kube-system')).toBeUndefined();
  });
});

describe('what Helm is handed', () => {
  it('gets values by standard input, and no secret in arguments', async () => {
    const { helm, fake } = opened([NONE, { to: 'upgrade' }], { chart: 'https://charts.test/' });
    fake.answer([
      { ...NONE, once: true },
      { to: 'upgrade' },
      DEPLOYED,
      NO_VALUES,
      { to: 'version', stdout: 'v3.19.0' },
    ]);
    const values = { authentication: { password: 'hunter2hunter2' } };
    await helm.upgradeOrInstall({ ...REQUEST, values });
    const [upgrade] = named('upgrade', fake);
    expect(JSON.parse(upgrade?.input ?? '')).toEqual(values);
    expect(upgrade?.args.slice(0, 6)).toEqual([
      'upgrade',
      'cilium',
      'cilium',
      '--repo',
      'https://charts.test/',
      '--version',
    ]);
    expect(upgrade?.args).toContain('1.16.5');
    expect(upgrade?.args).toContain('--reset-values');
    expect(JSON.stringify(fake.calls().map(({ args, env }) => [args, env]))).not.toMatch(
      /hunter2|kubeconfig-token/,
    );
  });

  it('is told the context by name, and nothing that would name another cluster', async () => {
    const environment = {
      PATH: process.env['PATH'],
      HELM_KUBECONTEXT: 'production',
      HELM_KUBETOKEN: 'abc',
      HELM_NAMESPACE: 'other',
      HELM_DEBUG: 'true',
      HELM_MAX_HISTORY: '3',
      https_proxy: 'http://proxy.test',
      AWS_PROFILE: 'main',
      DATABASE_URL: 'postgres://x',
    };
    const { helm, fake } = opened([NONE], { environment, as: 'ci', asGroups: ['ops'] });
    await helm.history('cilium', 'kube-system');
    const [call] = named('history', fake);
    expect(call?.args.join(' ')).toMatch(
      /--namespace kube-system --kube-context lab --kube-as-user ci --kube-as-group ops$/,
    );
    expect(Object.keys(call?.env ?? {}).toSorted()).toEqual([
      'HELM_MAX_HISTORY',
      'KUBECONFIG',
      'PATH',
      'https_proxy',
    ]);
  });

  it('has what plugins of the context log in with, where the context has one', () => {
    const environment = { AWS_PROFILE: 'main', CLOUDSDK_CONFIG: '/x', DATABASE_URL: 'x' };
    const settings = { environment, kubeconfig: undefined };
    expect(childEnvironment({ ...settings, hasPlugin: false })).toEqual({});
    expect(childEnvironment({ ...settings, hasPlugin: true })).toEqual({
      AWS_PROFILE: 'main',
      CLOUDSDK_CONFIG: '/x',
    });
  });

  it.each([
    'https://me:s3cret@charts.test/',
    'https://charts.test/cilium.tgz?X-Amz-Signature=s3cret',
    'https://charts.test/cilium.tgz?token=s3cret',
  ])('refuses %s, which holds credentials, without repeating them', async (chart) => {
    const { helm } = opened([NONE], { chart });
    const failure = helm.upgradeOrInstall(REQUEST);
    await expect(failure).rejects.toMatchObject({ code: 'bad-input' });
    await expect(failure).rejects.not.toThrow(/s3cret/);
  });

  it.each([
    ['a folder of this machine', process.cwd()],
    ['an archive', 'https://charts.test/cilium-{version}.tgz'],
    ['a digest', `oci://registry.test/cilium@sha256:${'0'.repeat(64)}`],
  ])('takes the chart from %s only in the version asked for', async (_what, chart) => {
    const { helm, fake } = opened([NONE], { chart });
    fake.answer([
      NONE,
      { to: 'show chart', stdout: 'name: cilium\nversion: 1.18.2\n' },
      { to: 'version', stdout: 'v3.19.0' },
    ]);
    await expect(helm.upgradeOrInstall(REQUEST)).rejects.toMatchObject({
      code: 'bad-input',
      message: expect.stringContaining('is cilium 1.18.2, and cilium 1.16.5 is wanted'),
    });
    expect(named('upgrade', fake)).toEqual([]);
  });
});

describe('what Helm says', () => {
  it('is found among warnings', async () => {
    const noise = 'WARNING: Kubernetes configuration file is group-readable.\n{not json\n';
    const { helm } = opened([
      { to: 'history', stdout: `${noise}${JSON.stringify([historyLine(3, 'failed')])}\n` },
      { to: 'get values', stdout: `${noise}{"bpf":{"masquerade":true}}\n` },
    ]);
    expect(await helm.status('cilium', 'kube-system')).toEqual({
      revision: 3,
      status: 'failed',
      chartVersion: '1.16.5',
      values: { bpf: { masquerade: true } },
    });
  });

  it('is objects, without what Secrets hold', async () => {
    const manifest = [
      'a plugin says hello',
      '---',
      '# Source: cilium/templates/secret.yaml',
      '{apiVersion: v1, kind: Secret, metadata: {name: ca}, data: {tls.key: c2VjcmV0}}',
      '---',
      '# only a comment',
      '---',
      'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: cilium-config}\ndata: {tunnel: "yes"}',
      '',
    ].join('\n');
    const { helm } = opened([{ to: 'get manifest', stdout: manifest }]);
    expect(await helm.manifest('cilium', 'kube-system')).toEqual([
      {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'ca' },
        data: { 'tls.key': '<redacted>' },
      },
      {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: { name: 'cilium-config' },
        data: { tunnel: 'yes' },
      },
    ]);
  });

  it('is asked for with what the cluster is able to', async () => {
    const { helm, fake } = opened([{ to: 'template', stdout: '---\n' }], {
      capabilities: () =>
        Promise.resolve({ kubeVersion: 'v1.33.1+k3s1', apiVersions: ['v1', 'apps/v1/DaemonSet'] }),
      chart: 'oci://registry.test/cilium',
    });
    expect(await helm.template(REQUEST)).toEqual([]);
    expect(named('template', fake)[0]?.args.join(' ')).toContain(
      'oci://registry.test/cilium --version 1.16.5 --no-hooks --values - --kube-version v1.33.1+k3s1 --api-versions v1,apps/v1/DaemonSet',
    );
  });

  it('fails in the words of the chart, with how the release stands, and no secret of the values', async () => {
    const stderr =
      'W1123 12:00:00.1 1 warnings.go:70] unknown field\nError: UPGRADE FAILED: execution error at (cilium/templates/validate.yaml:3:4): "hunter2hunter2" is no password\n';
    const { helm } = opened([DEPLOYED, NO_VALUES, { to: 'upgrade', stderr, exitCode: 1 }], {
      chart: 'https://charts.test/',
    });
    await expect(
      helm.upgradeOrInstall({ ...REQUEST, values: { dbPassword: 'hunter2hunter2' } }),
    ).rejects.toMatchObject({
      code: 'refused',
      message:
        'execution error at (cilium/templates/validate.yaml:3:4): "<redacted>" is no password',
      hint: 'Release cilium in kube-system is deployed at revision 1. The release and the cluster are as they were.',
    });
  });

  it('answers that are none say so', async () => {
    const { helm } = opened([{ to: 'history', stdout: 'hello\n' }]);
    await expect(helm.history('cilium', 'kube-system')).rejects.toThrow(
      'helm history printed something that is no answer',
    );
  });
});

describe('a Helm that does not end', () => {
  it('is ended at the deadline', async () => {
    const { helm } = opened([{ to: 'history', hangs: true }]);
    await helm.version();
    await expect(helm.history('cilium', 'kube-system', { deadlineMs: 100 })).rejects.toMatchObject({
      code: 'timeout',
      message: 'Helm did not end within the 0.1 s it was given',
    });
  });

  it('is ended when the caller says so, and how the release stands is told', async () => {
    const { helm, fake } = opened([DEPLOYED, { to: 'upgrade', hangs: true }], {
      chart: 'https://charts.test/',
    });
    const stopping = new AbortController();
    const { signal } = stopping;
    const failure = helm.upgradeOrInstall(REQUEST, { signal }).catch((error: unknown) => error);
    await vi.waitFor(() => expect(named('upgrade', fake)).toHaveLength(1), 30_000);
    stopping.abort();
    expect(await failure).toMatchObject({
      code: 'interrupted',
      hint: 'Release cilium in kube-system is deployed at revision 1.',
    });
    expect(isRunning(named('upgrade', fake)[0]?.pid ?? 0)).toBe(false);
  });

  it('is not started when the caller said so before', async () => {
    const { helm, fake } = opened([DEPLOYED]);
    await helm.version();
    const signal = AbortSignal.abort();
    await expect(helm.history('cilium', 'kube-system', { signal })).rejects.toMatchObject({
      code: 'interrupted',
    });
    expect(named('history', fake)).toEqual([]);
  });
});

describe('a release that was left half-way', () => {
  it('is refused with what it is and the way out', async () => {
    const { helm, fake } = opened([history(historyLine(2, 'pending-upgrade'))]);
    await expect(helm.upgradeOrInstall(REQUEST)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('is pending-upgrade at revision 2 since 2026-11-23'),
      hint: expect.stringContaining('helm -n kube-system rollback cilium'),
    });
    expect(named('upgrade', fake)).toEqual([]);
  });

  it('goes back to the last deployed revision before it is upgraded, when asked', async () => {
    const { helm, fake } = opened(
      [
        history(
          historyLine(1, 'superseded'),
          historyLine(2, 'deployed'),
          historyLine(3, 'failed'),
          historyLine(4, 'pending-upgrade'),
        ),
        { to: 'rollback' },
        { to: 'upgrade' },
        NO_VALUES,
      ],
      { chart: 'https://charts.test/' },
    );
    await helm.upgradeOrInstall(REQUEST, { unfinished: 'repair' });
    const changes = fake.calls().map(({ args }) => args.slice(0, 3).join(' '));
    expect(changes.filter((line) => /^(rollback|upgrade|uninstall)/.test(line))).toEqual([
      'rollback cilium 2',
      'upgrade cilium cilium',
    ]);
  });

  it.each(['pending-install', 'uninstalling'])('is uninstalled when it is %s', async (status) => {
    const { helm, fake } = opened([
      history(historyLine(1, status)),
      { to: 'uninstall' },
      NO_VALUES,
    ]);
    await helm.repair('cilium', 'kube-system');
    expect(named('uninstall cilium', fake)).toHaveLength(1);
  });

  it('is left alone once it is whole: whoever ran it has ended', async () => {
    const { helm, fake } = opened(
      [
        { ...history(historyLine(2, 'pending-upgrade')), once: true },
        history(historyLine(2, 'deployed')),
        NO_VALUES,
      ],
      { settleMs: 10 },
    );
    expect(await helm.repair('cilium', 'kube-system')).toMatchObject({ status: 'deployed' });
    expect(named('rollback', fake)).toEqual([]);
  });
});
