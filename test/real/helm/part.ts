/** The Helm port's contract with real Helm, 3 and 4, on the served twin and on a real API server. */
import { startControlPlane } from '../api/part.ts';
import { obtainCharts } from '../charts/obtain.ts';
import { obtainHelm, obtainHelm4 } from '../charts/part.ts';
import { CHART } from '../../contract/helm/target.ts';
import type { Lane, Part } from '../lane.ts';
import { Skipped } from '../skipped.ts';
import { holdSuite } from '../vitest-suite.ts';

export const HELM: Part = {
  name: 'helm',
  about: 'the contract of the Helm port with real Helm, on the served twin and a real API server',
  run: holdContract,
};

async function holdContract(lane: Lane): Promise<void> {
  const helms = [obtainHelm(lane.cache), ...later(lane)];
  const { minors } = obtainCharts(lane.cache, (what, why) => lane.skip(what, why));
  const chart = minors.find(({ version }) => version === CHART);
  if (chart === undefined) throw new Skipped(`the chart ${CHART} cannot be had here`);
  const { kubeconfig } = await startControlPlane(lane);
  for (const [index, helm] of helms.entries()) {
    const env = {
      REGAUGE_REAL_HELM: helm,
      REGAUGE_REAL_CHART: chart.directory,
      REGAUGE_REAL_KUBECONFIG: kubeconfig,
    };
    for (const suite of ['contract', 'failures']) {
      await holdSuite(lane, `test/real/helm/${suite}.test.ts`, env, `Helm ${index + 3}: `);
    }
  }
}

/** Undefined, and said, where it cannot be had: Helm 3 goes on. */
function later(lane: Lane): readonly string[] {
  try {
    return [obtainHelm4(lane.cache)];
  } catch (error) {
    if (!(error instanceof Skipped)) throw error;
    lane.skip('Helm 4', error.message);
    return [];
  }
}
