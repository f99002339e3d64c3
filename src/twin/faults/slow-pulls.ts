/** Images take longer to come than anybody planned for. */
import { type Fault, overAfter } from './fault.ts';

export const slowPulls: Fault = {
  id: 'slow-pulls',
  title: 'Image pulls are slow',
  standsFor: 'a registry that limits, a mirror that is away, a link that is full',
  source: 'anchors.md 4.1 no. 4; Docker Hub rate limit',
  strikes: 'cluster',
  parameters: {
    times: { about: 'how many times as long', unit: 'ratio', least: 2, usual: 10, most: 100 },
    for: { about: 'how long', unit: 's', least: 60, usual: 600, most: 3600 },
  },
  strike: ({ world }, { value }) => {
    const { constants, kernel } = world;
    const usual = constants.imagePullMs;
    // A world's constants are its own; nobody keeps a copy of this one.
    Object.assign(constants, { imagePullMs: usual * value('times') });
    kernel.after(value('for') * 1000, () => Object.assign(constants, { imagePullMs: usual }));
    return overAfter(value('for'));
  },
};
