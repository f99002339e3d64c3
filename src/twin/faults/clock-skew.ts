/** The clock that judges tokens falls behind the one that issued them. */
import { disturbancesOf } from '../api/disturbances.ts';
import { type Fault, overAfter, seconds } from './fault.ts';

export const clockSkew: Fault = {
  id: 'clock-skew',
  title: "The API server's clock falls behind",
  standsFor: 'NTP that steps a clock; a control plane that was suspended and resumed',
  source: 'go-jose jwt ValidateWithLeeway: a token is not valid before its nbf',
  strikes: 'cluster',
  parameters: {
    behind: seconds('by how much', 61, 300, 3600),
    for: seconds('until it is right again', 30, 300, 1800),
  },
  strike: ({ world }, { value }) => {
    const disturbances = disturbancesOf(world.store);
    disturbances.clockBehindMs = value('behind') * 1000;
    world.kernel.after(value('for') * 1000, () => (disturbances.clockBehindMs = 0));
    return overAfter(value('for'));
  },
};
