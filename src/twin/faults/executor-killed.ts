/** The executor dies, between two calls or in the middle of one, and another takes over. */
import { type Fault, overAfter, seconds } from './fault.ts';

export const executorKilled: Fault = {
  id: 'executor-killed',
  title: 'The executor is killed, and another goes on',
  standsFor: 'kill -9, a laptop that sleeps, a pod that is evicted; a colleague runs it again',
  source: 'deckhouse#21714: a controller that restarted between two CNIs stayed stuck',
  strikes: 'executor',
  parameters: {
    calls: {
      about: 'calls it still sends; it never hears the answer to the last',
      unit: 'count',
      least: 0,
      usual: 5,
      most: 40,
    },
    back: seconds('until another begins', 1, 60, 900),
  },
  strike: ({ executor }, { value }) => {
    executor.kill({ afterCalls: value('calls'), backAfterMs: value('back') * 1000 });
    return overAfter(value('back'));
  },
};
