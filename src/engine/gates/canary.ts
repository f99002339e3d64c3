/**
 * Before a workload follows: a probe on the new network and probes on the old one were seen to reach each
 * other, both ways. That nothing fails is not enough; what was never tried does not fail either.
 */
import type { PathObservation } from '../../model/rehearsal.ts';
import { probeMoved } from '../../steps/move-probe.ts';
import { fails, HOLDS } from '../../steps/step-module.ts';
import type { GateModule } from './gate-context.ts';

type End = PathObservation['from'];

export const canariesMeet: GateModule<'canaries-meet'> = async (context, { node, alone }) => {
  const { ports, plan } = context;
  const moved = await probeMoved(ports, plan, node);
  if (!moved.holds) return moved;
  const worked = (await ports.prober.observations()).filter(({ sent, lost }) => sent > lost);
  const wanted = wantedOf(node).filter(({ crosses }) => !alone || crosses !== true);
  const missing = wanted.find(({ is }) => !worked.some(is));
  return missing === undefined
    ? HOLDS
    : fails(`the probe of ${node}, on the new network, was not seen to ${missing.what} yet`);
};

interface Wanted {
  readonly what: string;
  /** Between the two networks. */
  readonly crosses?: true;
  readonly is: (path: PathObservation) => boolean;
}

function wantedOf(node: string): readonly Wanted[] {
  const isNew = (end: End): boolean => end.class === 'pod-new' && end.node === node;
  return [
    {
      what: 'reach a pod on the old network',
      crosses: true,
      is: ({ from, to }) => isNew(from) && to.class === 'pod-old',
    },
    {
      what: 'be reached from the old network',
      crosses: true,
      is: ({ from, to }) => from.class === 'pod-old' && isNew(to),
    },
    { what: 'resolve a name', is: ({ from, to }) => isNew(from) && to.class === 'dns-internal' },
    { what: 'reach a Service', is: ({ from, to }) => isNew(from) && to.class === 'service' },
  ];
}
