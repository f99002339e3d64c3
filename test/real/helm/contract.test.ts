/** The Helm contract with the Helm that the lane names: on the served twin, and on a real API server. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clusterCapabilities } from '../../../src/drivers/helm/capabilities.ts';
import { openHelm } from '../../../src/drivers/helm/open.ts';
import { type OpenedKubernetes, openKubernetes } from '../../../src/drivers/kubernetes/open.ts';
import { describeHelm } from '../../contract/helm/suite.ts';
import type { HelmTarget, TargetKind } from '../../contract/helm/target.ts';
import { HOST_READER } from '../../contract/kubernetes/twin-target.ts';
import { serveContractWorld } from '../../contract/served-world.ts';
import { helmHome } from '../command.ts';
import { breakOff } from './break-off.ts';

const binary = process.env['REGAUGE_REAL_HELM'] ?? '';
const chart = process.env['REGAUGE_REAL_CHART'] ?? '';
const realKubeconfig = process.env['REGAUGE_REAL_KUBECONFIG'] ?? '';
let made = 0;

interface Opened {
  readonly kubernetes: OpenedKubernetes;
  readonly kubeconfig: string;
  readonly namespace: string;
  readonly directory: string;
}

function targetOf({ kubernetes, kubeconfig, namespace, directory }: Opened): HelmTarget {
  const environment = { PATH: process.env['PATH'], HOME: directory, ...helmHome(directory) };
  const port = openHelm({
    kubeconfig,
    environment,
    binary,
    chart,
    settleMs: 0,
    capabilities: () => clusterCapabilities(kubernetes),
  });
  return {
    port,
    kubernetes,
    namespace,
    run: (work) => work(),
    breakOff: (status, request) => breakOff({ port, kubernetes }, status, request),
    close: async () => {
      await kubernetes.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

const SERVED: TargetKind = {
  name: 'the served twin',
  make: async () => {
    const world = await serveContractWorld();
    const { kubeconfig, directory } = world;
    const kubernetes = await openKubernetes({ kubeconfig, requestsPerSecond: 1_000 });
    const { namespace } = HOST_READER;
    const target = targetOf({ kubernetes, kubeconfig, namespace, directory });
    return {
      ...target,
      close: async () => {
        await target.close();
        await world.close();
      },
    };
  },
};

const REAL: TargetKind = {
  name: 'a real API server',
  make: async () => {
    made += 1;
    const namespace = `helm-contract-${process.pid}-${made}`;
    const kubernetes = await openKubernetes({
      kubeconfig: realKubeconfig,
      requestsPerSecond: 200,
    });
    await kubernetes.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
    const directory = mkdtempSync(join(tmpdir(), 'regauge-contract-'));
    const target = targetOf({ kubernetes, kubeconfig: realKubeconfig, namespace, directory });
    return {
      ...target,
      close: async () => {
        // Parts of it belong to no namespace.
        if ((await target.port.status('cilium', namespace)) !== undefined)
          await target.port.uninstall('cilium', namespace);
        await kubernetes.delete({ apiVersion: 'v1', kind: 'Namespace', name: namespace });
        await target.close();
      },
    };
  },
};

describeHelm(SERVED);
describeHelm(REAL);
