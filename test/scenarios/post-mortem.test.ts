/** The incident as it was done: its symptoms, from its own inputs, each with its real cause. */
import { beforeAll, describe, expect, it } from 'vitest';
import { REBOOTED, type Replay, replay, stuckOnSubnetEnv } from './replay.ts';

let run: Replay;

beforeAll(async () => {
  run = await replay();
});

/** Kinds of everything that led to an occurrence. */
function kindsBehind(id: number): ReadonlySet<string> {
  const kinds = new Set<string>();
  const seen = new Set<number>();
  const queue = [id];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    if (seen.has(next)) continue;
    seen.add(next);
    const found = run.occurrences[next - 1];
    if (found === undefined) continue;
    kinds.add(found.kind);
    queue.push(...found.because);
  }
  return kinds;
}

describe('the post-mortem as it was done', () => {
  it('ends stuck after about six hours, with 76 pods stuck', () => {
    expect(run.rehearsal.outcome).toBe('stuck');
    expect(run.rehearsal.summary.podsStuck).toBe(76);
    expect(run.rehearsal.summary.makespanSeconds / 3600).toBeGreaterThan(5.5);
    expect(run.rehearsal.summary.makespanSeconds / 3600).toBeLessThan(6.5);
  });

  it('begins with values that do not render: the cluster is as it was', () => {
    const [failed] = run.of('helm.render-failed');
    expect(failed?.message).toMatch(/ciliumAgent/);
  });

  it('has Flannel’s own words for that plugin version, on rebooted nodes only', () => {
    const byNode = stuckOnSubnetEnv(run);
    expect([...byNode.keys()].toSorted()).toEqual(REBOOTED.toSorted());
    const failure = run.rehearsal.failures.find(({ message }) => message.includes('subnet.env'));
    expect(failure?.message).toContain(
      'plugin type="flannel" failed (add): loadFlannelSubnetEnv failed: open /run/flannel/subnet.env: no such file or directory',
    );
  });

  it('traces the stuck pods to the deleted DaemonSet and the reboot, not to names of files', () => {
    const failed = run.of('kubelet.sandbox-failed').at(-1);
    const kinds = kindsBehind(failed?.id ?? 0);
    expect(kinds).toContain('node.files-lost');
    expect(kinds).toContain('flannel.daemonset-removed');
    for (const { rootCauses } of run.rehearsal.failures)
      expect(rootCauses.length).toBeGreaterThan(0);
  });

  it('never has Cilium write a conf: customConf leaves cni-exclusive without effect', () => {
    const disabled = run.of('cilium-agent.conf-management-disabled');
    expect(disabled.length).toBeGreaterThanOrEqual(7);
    expect(disabled.some(({ message }) => message.includes('cni-exclusive=true is ignored'))).toBe(
      true,
    );
  });

  it('loses DNS: the operator keeps deleting CoreDNS pods, and new ones get no sandbox', () => {
    expect(run.rehearsal.summary.dnsOutageSeconds).toBeGreaterThan(3_600);
    expect(run.of('cilium-operator.unmanaged-pod-restarted').length).toBeGreaterThan(2);
    const coredns = run.rehearsal.failures.filter(({ subject }) =>
      subject.name.startsWith('coredns-'),
    );
    expect(coredns.some(({ message }) => message.includes('subnet.env'))).toBe(true);
  });

  it('has the DNS patch refused by strict decoding on every node', () => {
    const rejected = run.of('talos.config-rejected');
    expect(new Set(rejected.map(({ node }) => node)).size).toBe(7);
    expect(rejected[0]?.message).toContain('unknown keys found during decoding');
  });

  it('has agents die of 401 on exactly the two workers that were not rebooted', () => {
    const unauthorized = run
      .of('cilium-agent.exited')
      .filter(({ message }) => message.includes('Unauthorized'));
    expect([...new Set(unauthorized.map(({ node }) => node))].toSorted()).toEqual([
      'talos-wrk-01',
      'talos-wrk-02',
    ]);
    expect(unauthorized[0]?.message).toContain(
      'Unable to contact k8s api-server error="Unauthorized"',
    );
    expect(kindsBehind(unauthorized[0]?.id ?? 0)).toContain('token.service-account-recreated');
  });

  it('is cured of the 401s by a kubelet restart, which empties the token cache', () => {
    const cured = run.of('talos.service-restarted');
    expect(cured.map(({ node }) => node)).toEqual(['talos-wrk-01', 'talos-wrk-02']);
    const last = Math.max(...cured.map(({ at }) => at));
    expect(run.of('cilium-agent.exited').filter(({ at }) => at > last + 120_000)).toEqual([]);
  });

  it('cannot attach volumes: the attacher does not reach Longhorn’s backend in time', () => {
    expect(run.rehearsal.summary.volumesStuck).toBeGreaterThan(0);
    const volume = run.rehearsal.failures.find(({ symptom }) => symptom === 'volume-not-attached');
    expect(volume?.message).toContain('DeadlineExceeded');
  });

  it('leaves the instance managers alone: the selector matches nothing', () => {
    const { run: result } = run;
    const commands = 'commands' in result ? result.commands : [];
    const deletion = commands.find(({ command }) =>
      command.includes('delete stuck instance managers'),
    );
    expect(deletion?.outcome).toBe('done');
    const later = run.of('kubelet.pod-ready').filter(({ at }) => at / 1000 > (deletion?.to ?? 0));
    expect(later.filter(({ subject }) => subject?.name.startsWith('instance-manager'))).toEqual([]);
  });

  it('does not move a range when the pool is edited: nodes keep 10.245', () => {
    const changed = run.of('cilium-operator.pool-changed');
    expect(changed.every(({ message }) => message.includes('keep ranges outside it'))).toBe(true);
  });
});
