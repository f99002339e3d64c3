/** The next run of Helm dies at its work, and its release goes on saying that it is at it. */
import { killNextHelm } from '../ports/helm/helm-killed.ts';
import { type Fault, overAfter } from './fault.ts';

export const helmKilled: Fault = {
  id: 'helm-killed',
  title: 'Helm is killed in the middle of its next run',
  standsFor: 'a pipeline that is cancelled, memory that runs out, a machine that goes down with it',
  source: 'FM-36: mogenius/mogenius-operator#920; helm:pkg/action/upgrade.go errPending',
  strikes: 'executor',
  parameters: {
    objects: {
      about: 'objects it still writes; it never says its last word',
      unit: 'count',
      least: 0,
      usual: 3,
      most: 12,
    },
  },
  strike: ({ world }, { value }) => {
    killNextHelm(world.releases, value('objects'));
    return overAfter(0);
  },
};
