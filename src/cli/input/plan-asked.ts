/** The plan for what was read, by what flags ask for. */
import type { Plan } from '../../model/plan.ts';
import type { Intent } from '../../planner/intent.ts';
import type { RehearseFlags } from '../flags.ts';
import type { ClusterRead } from './read-cluster.ts';
import { planFor } from '../rehearsal-session.ts';

type Asking = Pick<
  RehearseFlags,
  'ciliumVersion' | 'talosVersion' | 'strategy' | 'waveSize' | 'poolCidr'
>;

export function intentOf(flags: Asking, { target }: Pick<ClusterRead, 'target'>): Intent {
  const { ciliumVersion, strategy, waveSize, poolCidr } = flags;
  return {
    ...(target === undefined ? {} : { target }),
    ...(ciliumVersion === undefined ? {} : { chartVersion: ciliumVersion }),
    ...(strategy === undefined ? {} : { strategy }),
    ...(waveSize === undefined ? {} : { waveSize }),
    ...(poolCidr === undefined ? {} : { poolCidr }),
  };
}

/** Throws `refused` and `bad-input` errors. */
export function planAsked(flags: Asking, read: ClusterRead): Plan {
  const { talosVersion } = flags;
  const versions = talosVersion === undefined ? {} : { talosVersion };
  return planFor(read.input, intentOf(flags, read), versions).plan;
}
