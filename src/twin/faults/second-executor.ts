/** Somebody else starts the same plan while it runs. */
import { type Fault, overAfter } from './fault.ts';

export const secondExecutor: Fault = {
  id: 'second-executor',
  title: 'A second regauge is started',
  standsFor: 'a colleague who does not know, a pipeline that runs twice',
  source: 'kured#841: two holders of one lock; design.md rule 4',
  strikes: 'executor',
  parameters: {},
  strike: ({ executor }) => {
    executor.startAnother();
    return overAfter(0);
  },
};
