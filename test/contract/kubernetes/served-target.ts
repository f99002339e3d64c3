/**
 * The twin over HTTPS through the real adapter, as a target of the Kubernetes contract: a kubeconfig
 * with a client certificate, a loopback socket, virtual time at the speed of the wall's clock.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openKubernetes } from '../../../src/drivers/kubernetes/open.ts';
import { serveTwin, type ServedTwin } from '../../../src/twin/wire/serve-twin.ts';
import type { KubernetesTarget, TargetKind } from './target.ts';
import { contractWorld, HOST_READER } from './twin-target.ts';

const served = new Map<KubernetesTarget, ServedTwin>();

export const SERVED_TWIN: TargetKind = {
  name: 'kubernetes, the twin over HTTPS',
  nodes: HOST_READER,
  budgets: true,
  expire: (target) => {
    served.get(target)?.api.compact();
    return Promise.resolve();
  },
  make: async () => {
    const failures: unknown[] = [];
    const twin = await serveTwin({
      world: contractWorld(),
      clusterName: 'contract',
      speed: 1,
      host: '127.0.0.1',
      port: 0,
      now: Date.now(),
      onFailure: (error) => failures.push(error),
    });
    const directory = mkdtempSync(join(tmpdir(), 'regauge-contract-'));
    const kubeconfig = join(directory, 'kubeconfig');
    writeFileSync(kubeconfig, twin.kubeconfig, { mode: 0o600 });
    // Calls of a test wait for nobody: the throttle has tests of its own.
    const port = await openKubernetes({ kubeconfig, environment: {}, requestsPerSecond: 1_000 });
    const target: KubernetesTarget = {
      port,
      namespace: HOST_READER.namespace,
      run: (work) => work(),
      pass: (milliseconds) => {
        twin.pace.advance(milliseconds);
        return Promise.resolve();
      },
      close: async () => {
        served.delete(target);
        await port.close();
        await twin.close();
        rmSync(directory, { recursive: true, force: true });
        if (failures.length > 0) throw failures[0];
      },
    };
    served.set(target, twin);
    return target;
  },
};
