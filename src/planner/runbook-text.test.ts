/** The runbook as a person types it: commands that run as they stand, for the distribution at hand. */
import { describe, expect, it } from 'vitest';
import type { Plan } from '../model/plan.ts';
import { runbookText } from './runbook-text.ts';
import { literal, nodes, planned } from './testing.ts';

/** Command lines under the step's heading, forward and back. */
function commandsUnder(plan: Plan, title: string): readonly string[] {
  const text = runbookText(plan);
  const from = text.indexOf(`### ${title}`);
  if (from < 0) throw new Error(`no step ${title} in:\n${text}`);
  const end = text.indexOf('\n### ', from + 4);
  return text
    .slice(from, end < 0 ? undefined : end)
    .split('\n')
    .filter((line) => line.startsWith('    '))
    .map((line) => line.trim());
}

const KUBEADM = {
  cluster: {
    ...literal().cluster,
    distribution: 'kubeadm',
    kubernetesVersion: '1.31.6',
    apiEndpoint: { host: '10.0.5.10', port: 6443 },
  },
  machineConfigs: [],
} as const;

describe('the runbook', () => {
  it('reaches Talos nodes by address, since names resolve on some clusters only', () => {
    const text = runbookText(planned());
    expect(text).toContain('talosctl -n 10.0.1.1,10.0.1.2,10.0.1.3 patch machineconfig');
    expect(text).not.toMatch(/talosctl -n (cp|wrk)-/);
  });

  it('has no talosctl off Talos', () => {
    const text = runbookText(planned(KUBEADM));
    expect(text).not.toContain('talosctl');
    expect(text).toContain('ssh 10.0.1.4 ls /etc/cni/net.d');
  });

  it('backs up each namespace into one file that can be applied again', () => {
    const commands = commandsUnder(planned(), 'Back up what later steps delete or change');
    expect(commands[0]).toMatch(
      /^kubectl get -n kube-system daemonset\/kube-flannel .* -o yaml \| grep -vE .*resourceVersion.* > backup-kube-system\.yaml$/,
    );
    expect(commands.at(-1)).toBe('talosctl -n 10.0.1.1 etcd snapshot backup-etcd.db');
  });

  it('defines each helper it uses', () => {
    const text = runbookText(planned());
    for (const helper of ['on', 'evict']) {
      expect(text).toContain(`    ${helper}() {`);
      expect(text).toMatch(new RegExp(`^    (for .*; do )?${helper} `, 'm'));
    }
  });

  it('cleans nodes through a pod that sees the host under /host, and takes that pod away', () => {
    const commands = commandsUnder(planned(), 'Clean the rules kube-proxy left in the kernels');
    expect(commands[0]).toMatch(
      /--image=registry\.k8s\.io\/kube-proxy:v1\.32\.3 .*--cleanup; done$/,
    );
    expect(commands.at(-1)).toContain('managed-by=kubectl-debug');
    const files = commandsUnder(planned(), 'Remove Flannel’s conf, state and links from the nodes');
    expect(files[0]).toContain("on $node 'rm -rf /host/etc/cni/net.d/10-flannel.conflist");
    expect(files[0]).not.toMatch(/ \/(etc|run|var)\//);
  });

  it('names nodes by a query where there are too many to type', () => {
    const commands = commandsUnder(
      planned({ objects: nodes(3, 20) }),
      'Cordon the 22 nodes that have not moved',
    );
    expect(commands[0]).toBe(
      "kubectl get nodes -l '!io.cilium.migration/cilium-default' -o name | xargs kubectl cordon",
    );
  });

  it('says how a Helm release and a CiliumNodeConfig come back', () => {
    const plan = planned();
    expect(commandsUnder(plan, 'Upgrade the release to the final values').slice(-5)).toEqual([
      'helm upgrade cilium cilium/cilium --version 1.16.5 -n kube-system -f artifacts/install-secondary-install-cilium.values.yaml',
      'kubectl rollout restart -n kube-system deployment/cilium-operator',
      'kubectl rollout status -n kube-system deployment/cilium-operator',
      'kubectl rollout restart -n kube-system daemonset/cilium',
      'kubectl rollout status -n kube-system daemonset/cilium',
    ]);
    expect(commandsUnder(plan, 'Remove the CiliumNodeConfig of the migration').at(-1)).toBe(
      'kubectl apply --server-side -f artifacts/install-secondary-node-config.yaml',
    );
  });
});
