/** The twin in memory as a target of the Helm contract. */
import { renderCiliumChart } from '../../../src/knowledge/cilium-chart/render.ts';
import type { ReleaseRequest } from '../../../src/ports/index.ts';
import { createTwinPorts } from '../../../src/twin/ports/create-twin-ports.ts';
import type { Revision } from '../../../src/twin/ports/helm/helm-records.ts';
import { contractWorld, HOST_READER } from '../kubernetes/twin-target.ts';
import type { HelmTarget, TargetKind } from './target.ts';

export const TWIN_IN_MEMORY: TargetKind = {
  name: 'the twin in memory',
  make: () => {
    const world = contractWorld();
    const { helm, kubernetes } = createTwinPorts(world);
    const target: HelmTarget = {
      port: helm,
      kubernetes,
      namespace: HOST_READER.namespace,
      run: (work) => world.kernel.drive(work),
      breakOff: (status, request) => {
        const key = `${request.namespace}/${request.release}`;
        const history = world.releases.get(key) ?? [];
        const left = brokenOff(status, request, history.length + 1);
        world.releases.set(key, [...history, left]);
        return Promise.resolve();
      },
      close: () => Promise.resolve(),
    };
    return Promise.resolve(target);
  },
};

function brokenOff(
  status: Revision['status'],
  request: ReleaseRequest,
  revision: number,
): Revision {
  const rendered = renderCiliumChart(request);
  return {
    revision,
    status,
    chartVersion: request.version,
    values: request.values,
    objects: rendered.ok ? rendered.objects : [],
    at: 0,
    description: 'Preparing upgrade',
  };
}
