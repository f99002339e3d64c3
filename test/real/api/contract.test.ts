/**
 * The Kubernetes contract on a real API server, through the real adapter. It has no kubelets, so
 * nothing runs in containers; its past is forgotten by starting it anew.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { openKubernetes } from '../../../src/drivers/kubernetes/open.ts';
import type { KubernetesPort } from '../../../src/ports/index.ts';
import { askAsStranger } from '../../contract/kubernetes/stranger.ts';
import { describeKubernetes } from '../../contract/kubernetes/suite.ts';
import type { KubernetesTarget, TargetKind } from '../../contract/kubernetes/target.ts';

const kubeconfig = process.env['REGAUGE_REAL_KUBECONFIG'] ?? '';
const control = process.env['REGAUGE_REAL_CONTROL'] ?? '';
const ACCOUNT_MS = 30_000;
const LOOK_EVERY_MS = 50;
let made = 0;

const REAL: TargetKind = {
  name: 'kubernetes, a real API server',
  budgets: true,
  expire: async () => {
    const answer = await fetch(`${control}/restart-api-server`, { method: 'POST' });
    if (!answer.ok) throw new Error(`the API server was not started again: ${answer.status}`);
  },
  strangerAsks: () =>
    askAsStranger(/server: (\S+)/.exec(readFileSync(kubeconfig, 'utf8'))?.[1] ?? ''),
  make: async () => {
    const port = await openKubernetes({ kubeconfig, requestsPerSecond: 200 });
    made += 1;
    const namespace = `contract-${process.pid}-${made}`;
    await port.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
    await whenAccountIsThere(port, namespace);
    const target: KubernetesTarget = {
      port,
      namespace,
      run: (work) => work(),
      pass: (milliseconds) => sleep(milliseconds),
      close: async () => {
        await port.delete({ apiVersion: 'v1', kind: 'Namespace', name: namespace });
        await port.close();
      },
    };
    return target;
  },
};

/** A pod is refused until its namespace has the account it runs as. */
async function whenAccountIsThere(port: KubernetesPort, namespace: string): Promise<void> {
  const address = { apiVersion: 'v1', kind: 'ServiceAccount', namespace, name: 'default' };
  const end = performance.now() + ACCOUNT_MS;
  while ((await port.get(address)) === undefined) {
    if (performance.now() > end) throw new Error(`no account in ${namespace}`);
    await sleep(LOOK_EVERY_MS);
  }
}

describeKubernetes(REAL);
