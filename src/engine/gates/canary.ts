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
  const isNew = ({ class: own, node: place }: End): boolean => own === 'pod-new' && place === node;
  const isOld = ({ class: own }: End): boolean => own === 'pod-old';
  const wanted: readonly (readonly [string, (path: PathObservation) => boolean])[] = [
    ...(alone
      ? []
      : [
          [
            'reach a pod on the old network',
            ({ from, to }: PathObservation) => isNew(from) && isOld(to),
          ] as const,
          [
            'be reached from the old network',
            ({ from, to }: PathObservation) => isOld(from) && isNew(to),
          ] as const,
        ]),
    ['resolve a name', ({ from, to }) => isNew(from) && to.class === 'dns-internal'],
    ['reach a Service', ({ from, to }) => isNew(from) && to.class === 'service'],
  ];
  const missing = wanted.find(([, isSuch]) => !worked.some(isSuch));
  return missing === undefined
    ? HOLDS
    : fails(`the probe of ${node}, on the new network, was not seen to ${missing[0]} yet`);
};
