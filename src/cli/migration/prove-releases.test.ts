import { describe, expect, it } from 'vitest';
import { RegaugeError } from '../../base/errors.ts';
import type { Plan } from '../../model/plan.ts';
import type { ReleaseRequest, ReleaseStatus } from '../../ports/index.ts';
import { proveReleases } from './prove-releases.ts';

const install = (id: string, values: object) => ({
  id,
  title: `Install ${id}`,
  action: {
    kind: 'install-helm-release',
    release: 'cilium',
    namespace: 'kube-system',
    chart: 'cilium',
    version: '1.16.5',
    values,
  },
});
// A step's other parts are not looked at.
const plan = {
  steps: [install('first', { a: 1 }), install('again', { a: 1 }), install('last', { a: 2 })],
} as unknown as Plan;

const INSTALLED: ReleaseStatus = {
  revision: 1,
  status: 'deployed',
  chartVersion: '1.16.5',
  values: {},
};

function prover(failure?: RegaugeError, installed?: ReleaseStatus) {
  const rendered: unknown[] = [];
  const helm = {
    version: () => Promise.resolve('3.19.0'),
    status: () => Promise.resolve(installed),
    template: ({ values }: ReleaseRequest) => {
      rendered.push(values);
      return failure === undefined ? Promise.resolve([]) : Promise.reject(failure);
    },
  };
  return { helm, rendered };
}

describe('what a plan installs', () => {
  it('is rendered once for each set of values', async () => {
    const { helm, rendered } = prover();
    await proveReleases(helm, plan);
    expect(rendered).toEqual([{ a: 1 }, { a: 2 }]);
  });

  it('is refused with the step, in the words of the chart', async () => {
    const { helm } = prover(
      new RegaugeError('refused', 'no such value', { hint: 'hint' }),
      INSTALLED,
    );
    await expect(proveReleases(helm, plan)).rejects.toMatchObject({
      code: 'refused',
      message: '"Install first" could not be done: no such value',
      hint: 'hint',
    });
  });

  it('needs the chart to begin, and not to go on', async () => {
    const failure = new RegaugeError('unreachable', 'no route to the charts');
    await expect(proveReleases(prover(failure).helm, plan)).rejects.toMatchObject({
      code: 'unreachable',
    });
    await expect(proveReleases(prover(failure, INSTALLED).helm, plan)).resolves.toBeUndefined();
  });
});
