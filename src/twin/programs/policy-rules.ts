/** Rules by which a controller enforces policies: written at its start, and again when it sees them gone. */
import { networkOf } from '../network/kernel-network.ts';
import type { PacketFilter } from '../network/packet-filter.ts';
import type { TwinNode } from '../world.ts';
import type { Life } from './life.ts';

export interface PolicyRules {
  write(filter: PacketFilter): void;
  readonly everyMs: number;
}

export function keepPolicyRules(node: TwinNode, life: Life, { write, everyMs }: PolicyRules): void {
  const network = networkOf(node);
  write(network.filter);
  const writeAgain = (): void => {
    write(network.filter);
    const { flannel } = network;
    if (flannel?.policyRules?.(network.filter) === true)
      network.setFlannel({ ...flannel, enforcesPolicies: true });
  };
  const forget = network.onRulesLost(() => life.after(everyMs, writeAgain));
  life.onEnd(forget);
}
