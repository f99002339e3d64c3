/**
 * The operator's cluster-pool IPAM: one range per CiliumNode, out of pools read once at start. A node
 * whose range no pool covers keeps it, and the operator says so in the CiliumNode's status
 * (C@v1.16.5:pkg/ipam/allocator/podcidr/podcidr.go; truth:P12, P13).
 */
import { type Cidr, contains, nthSubnet, parseCidr } from '../../../base/cidr.ts';
import type { KubeObject } from '../../../model/kubernetes.ts';
import type { World } from '../../world.ts';
import { asCiliumNode, type CiliumNodeObject } from '../../network/peer-tables.ts';
import type { AgentConfig } from './agent-config.ts';
import { podCidrsOf } from './cilium-node.ts';

interface Pool {
  readonly range: Cidr;
  readonly mask: number;
  readonly count: number;
  next: number;
}

export class PoolAllocation {
  private readonly pools: readonly Pool[];
  private readonly used = new Set<string>();
  private readonly world: World;
  private readonly operator: KubeObject;

  constructor(world: World, operator: KubeObject, config: AgentConfig) {
    this.world = world;
    this.operator = operator;
    this.pools = poolsOf(config);
  }

  /** First what is taken, then what is wanted: a range in use is never given again. */
  start(): void {
    const nodes = this.world.store.list('CiliumNode').map(asCiliumNode);
    for (const node of nodes) for (const cidr of podCidrsOf(node)) this.used.add(cidr);
    const uncovered = nodes.flatMap((node) => {
      const cidr = podCidrsOf(node)[0];
      return cidr === undefined || this.covers(cidr) ? [] : [{ node, cidr }];
    });
    const first = uncovered[0];
    if (first !== undefined) this.tellPoolChanged(first.cidr, uncovered.length);
    for (const { node, cidr } of uncovered) {
      this.writeError(node, `allocator not configured for the requested CIDR ${cidr}`);
    }
    for (const node of nodes) this.serve(node);
  }

  /** Gives a range to a CiliumNode that has none. */
  serve(node: CiliumNodeObject): void {
    if (podCidrsOf(node).length > 0) return;
    const cidr = this.take();
    if (cidr === undefined) {
      this.writeError(node, 'unable to allocate CIDR: no more CIDRs available');
      return;
    }
    this.world.store.update<string>('CiliumNode', undefined, node.metadata.name, (object) => {
      const present = asCiliumNode(object);
      return { ...present, spec: { ...present.spec, ipam: { podCIDRs: [cidr] } } };
    });
  }

  release(node: CiliumNodeObject): void {
    for (const cidr of podCidrsOf(node)) this.used.delete(cidr);
  }

  private covers(text: string): boolean {
    const cidr = parseCidr(text);
    return cidr !== undefined && this.pools.some(({ range }) => contains(range, cidr));
  }

  private take(): string | undefined {
    for (const pool of this.pools) {
      for (let tries = 0; tries < pool.count; tries += 1) {
        const cidr = nthSubnet(pool.range, pool.mask, pool.next);
        pool.next = (pool.next + 1) % pool.count;
        if (this.used.has(cidr)) continue;
        this.used.add(cidr);
        return cidr;
      }
    }
    return undefined;
  }

  private tellPoolChanged(cidr: string, count: number): void {
    const pools = this.pools.map(({ range }) => range.text).join(' ');
    this.world.kernel.occur('cilium-operator.pool-changed', {
      subject: {
        kind: 'ConfigMap',
        namespace: this.operator.metadata.namespace ?? '',
        name: 'cilium-config',
      },
      message: `the pool is ${pools} now; ${count} CiliumNodes keep ranges outside it, such as ${cidr}`,
    });
  }

  private writeError(node: CiliumNodeObject, error: string): void {
    this.world.store.update<string>('CiliumNode', undefined, node.metadata.name, (object) => {
      const present = asCiliumNode(object);
      return { ...present, status: { ipam: { 'operator-status': { error } } } };
    });
  }
}

const DEFAULT_POOL = '10.0.0.0/8';
const DEFAULT_MASK = 24;

function poolsOf(config: AgentConfig): readonly Pool[] {
  const mask = Number(config['cluster-pool-ipv4-mask-size'] ?? DEFAULT_MASK);
  return (config['cluster-pool-ipv4-cidr'] ?? DEFAULT_POOL).split(/[\s,]+/).flatMap((text) => {
    const range = parseCidr(text);
    if (range === undefined || range.prefix > mask) return [];
    return [{ range, mask, count: 2 ** (mask - range.prefix), next: 0 }];
  });
}
