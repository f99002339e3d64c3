/** The Kubernetes port's contract, held against a real control plane. */
import { createServer, type Server } from 'node:http';
import type { Lane, Part } from '../lane.ts';
import { holdSuite } from '../vitest-suite.ts';
import { ControlPlane } from './control-plane.ts';
import { obtainControlPlane } from './software.ts';

export const API: Part = {
  name: 'api',
  about: 'the contract of the Kubernetes port against a real API server',
  run: holdContract,
};

async function holdContract(lane: Lane): Promise<void> {
  const plane = await startControlPlane(lane);
  const control = await serveControl(plane, lane);
  lane.skip('contract: containers', 'no kubelet runs pods here; the served twin has exec and logs');
  await holdSuite(lane, 'test/real/api/contract.test.ts', {
    REGAUGE_REAL_KUBECONFIG: plane.kubeconfig,
    REGAUGE_REAL_CONTROL: control,
  });
}

/** Ends with the lane, however that ends. */
export async function startControlPlane(lane: Lane): Promise<ControlPlane> {
  const software = obtainControlPlane(lane.cache);
  const since = performance.now();
  const plane = await ControlPlane.start(software, (started) => {
    lane.onEnd(() => started.end());
  });
  const seconds = Math.round((performance.now() - since) / 1_000);
  lane.tell(`Kubernetes ${software.version} is up after ${seconds} s`);
  return plane;
}

/** For the suite, which runs in a process of its own. */
async function serveControl(plane: ControlPlane, lane: Lane): Promise<string> {
  const server = createServer((request, answer) => {
    if (request.method !== 'POST' || request.url !== '/restart-api-server') {
      answer.writeHead(404).end();
      return;
    }
    plane.restartApiServer().then(
      () => answer.end(),
      () => answer.writeHead(500).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  lane.onEnd(() => closed(server));
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? (address?.port ?? 0) : 0}`;
}

async function closed(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}
