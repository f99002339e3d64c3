/**
 * What plugins leave in a node's kernel besides the pods' own interfaces: addresses of bridges and
 * rules for host ports. None of it outlives the machine; rules outlive the pod when nobody calls the
 * plugin that made them (truth:L16, L32).
 */
import type { NodeNetwork } from '../world.ts';

export interface HostPortRule {
  readonly network: string;
  readonly containerId: string;
  /** Lower case: `tcp`. */
  readonly protocol: string;
  readonly hostPort: number;
  /** `10.244.1.2:80`. */
  readonly to: string;
}

export class NodeLinks {
  /** In the order in which the kernel tries them: oldest first. */
  readonly hostPortRules: HostPortRule[] = [];
  private readonly bridges = new Map<string, string[]>();
  private readonly network: NodeNetwork | undefined;

  constructor(network: NodeNetwork | undefined) {
    this.network = network;
  }

  /** Adds a gateway address, as `198.51.100.1/24`; the text of the bridge plugin when it may not. */
  ensureAddress(bridge: string, address: string, force: boolean): string | undefined {
    const known = this.bridges.get(bridge);
    if (known === undefined) {
      this.bridges.set(bridge, [address]);
      return undefined;
    }
    if (known.includes(address)) return undefined;
    const family = address.includes(':');
    const other = known.find((held) => held.includes(':') === family);
    if (other === undefined || this.wasDeleted(bridge)) {
      this.bridges.set(bridge, other === undefined ? [...known, address] : [address]);
      return undefined;
    }
    if (!force) return `"${bridge}" already has an IP address different from ${address}`;
    this.bridges.set(bridge, [...known.filter((held) => held !== other), address]);
    return undefined;
  }

  addRules(rules: readonly HostPortRule[]): void {
    this.hostPortRules.push(...rules);
  }

  /** Removes the rules of one container on one network; others of the container stay. */
  removeRules(network: string, containerId: string): void {
    for (let index = this.hostPortRules.length - 1; index >= 0; index -= 1) {
      const rule = this.hostPortRules[index];
      if (rule?.network === network && rule.containerId === containerId) {
        this.hostPortRules.splice(index, 1);
      }
    }
  }

  powerLost(): void {
    this.bridges.clear();
    this.hostPortRules.length = 0;
  }

  /** Somebody deleted the link since (`ip link del cni0`). */
  private wasDeleted(bridge: string): boolean {
    return (
      this.network !== undefined && bridge === 'cni0' && !this.network.links().includes(bridge)
    );
  }
}
