/**
 * What plugins leave in a node's kernel besides the pods' own interfaces: addresses of bridges and
 * rules for host ports. None of it outlives the machine; rules outlive the pod when nobody calls the
 * plugin that made them (truth:L16, L32).
 */
import type { NodeNetwork } from '../world.ts';
import type { Container } from './cni-state.ts';

export interface HostPortRule {
  readonly network: string;
  readonly containerId: string;
  /** Lower case: `tcp`. */
  readonly protocol: string;
  readonly hostPort: number;
  /** `10.244.1.2:80`. */
  readonly to: string;
}

interface Bridge {
  addresses: readonly string[];
  /** Set by the plugin with its first address (`ensureAddr`). */
  hasOwnMac: boolean;
  /** Containers plugged in; only as long as the bridge has no MAC address of its own. */
  readonly ports: Set<Container>;
}

export class NodeLinks {
  /** In the order in which the kernel tries them: oldest first. */
  readonly hostPortRules: HostPortRule[] = [];
  private readonly bridges = new Map<string, Bridge>();
  /** How many bridges take their MAC address from their ports. */
  private withoutMac = 0;
  private readonly network: NodeNetwork | undefined;

  constructor(network: NodeNetwork | undefined) {
    this.network = network;
  }

  /**
   * The plugin makes sure of its bridge, then plugs the container in. Whether it read a MAC address of
   * the bridge before: one without ports has none, unless it is new or was given one.
   */
  plugIn(name: string, container: Container): boolean {
    const known = this.bridges.get(name);
    if (known?.hasOwnMac === true) return true;
    const isNew = known === undefined || (known.ports.size === 0 && this.wasDeleted(name));
    const bridge = isNew ? { addresses: [], hasOwnMac: false, ports: new Set<Container>() } : known;
    if (isNew) this.bridges.set(name, bridge);
    if (known === undefined) this.withoutMac += 1;
    const hadMac = isNew || bridge.ports.size > 0;
    bridge.ports.add(container);
    return hadMac;
  }

  /** The container's end of its interfaces is gone, and the bridge's with it. */
  unplug(container: Container): void {
    if (this.withoutMac === 0) return;
    for (const { ports } of this.bridges.values()) ports.delete(container);
  }

  /** Adds a gateway address, as `198.51.100.1/24`; the text of the bridge plugin when it may not. */
  ensureAddress(
    name: string,
    address: string,
    force: boolean,
    hadMac: boolean,
  ): string | undefined {
    const bridge = this.bridges.get(name);
    if (bridge === undefined || bridge.addresses.includes(address)) return undefined;
    const family = address.includes(':');
    const other = bridge.addresses.find((held) => held.includes(':') === family);
    if (other !== undefined && this.wasDeleted(name)) bridge.addresses = [];
    else if (other !== undefined && !force) {
      return `"${name}" already has an IP address different from ${address}`;
    }
    bridge.addresses = [...bridge.addresses.filter((held) => held !== other), address];
    if (!hadMac) return "could not set bridge's mac: invalid argument";
    this.settle(bridge);
    return undefined;
  }

  /** The bridge was given the MAC address it had: from now on it does not change with its ports. */
  private settle(bridge: Bridge): void {
    if (bridge.hasOwnMac) return;
    bridge.hasOwnMac = true;
    bridge.ports.clear();
    this.withoutMac -= 1;
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
    this.withoutMac = 0;
    this.hostPortRules.length = 0;
  }

  /** Somebody deleted the link since (`ip link del cni0`). */
  private wasDeleted(bridge: string): boolean {
    return (
      this.network !== undefined && bridge === 'cni0' && !this.network.links().includes(bridge)
    );
  }
}
