/** How pods come over, for the cluster and for single nodes. */
import type { NodeStrategy } from '../model/plan.ts';
import { atLeast } from '../base/versions.ts';
import type { Intent } from './intent.ts';
import { decide, type Notes, type Situation } from './situation.ts';

export function chooseStrategy(situation: Situation, intent: Intent, notes: Notes): NodeStrategy {
  const wanted = intent.strategy;
  if (wanted === 'reboot') {
    const volatileConf =
      situation.distribution === 'talos' && atLeast(situation.distributionVersion, '1.14.0');
    const race = volatileConf
      ? '; on this Talos a reboot empties /etc/cni, and until the agent writes its conf Flannel’s may win (FM-50)'
      : '';
    decide(
      notes,
      'strategy',
      'reboot',
      `asked for; pods wait for the reboot or restart once more on a node that moves later${race}`,
    );
  }
  if (wanted !== undefined) return wanted;
  decide(
    notes,
    'strategy',
    'evict-in-place',
    situation.nodes.length === 1
      ? 'no reboot is needed for a new network; an evicted pod comes back to the only node, which is open again by then'
      : 'no reboot is needed for a new network; with all other nodes cordoned every pod restarts once, within its budget',
  );
  return 'evict-in-place';
}

/** A node that somebody cordoned takes no pods: its own get new sandboxes in place. */
export function strategyPerNode(
  situation: Situation,
  strategy: NodeStrategy,
  notes: Notes,
): ReadonlyMap<string, NodeStrategy> {
  const cordoned = situation.nodes
    .filter(({ unschedulable }) => unschedulable)
    .map(({ name }) => name);
  if (strategy !== 'evict-in-place' || cordoned.length === 0) return new Map();
  decide(
    notes,
    'cordoned nodes',
    `${cordoned.join(', ')} stay cordoned`,
    'somebody cordoned them before; their pods restart in place',
  );
  return new Map(cordoned.map((name) => [name, 'sandbox-restart']));
}
