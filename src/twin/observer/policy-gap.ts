/**
 * Time in which a policy that was enforced when the observer began is not: a running pod that some
 * NetworkPolicy selects hangs on a network that enforces none. Where nothing was enforced, nothing can
 * be lost.
 */
import { fabricOf } from '../network/fabric.ts';
import { networkOf } from '../network/kernel-network.ts';
import { enforcement } from '../network/policy-index.ts';
import type { TwinNode, World } from '../world.ts';

export class PolicyGap {
  private readonly world: World;
  private readonly openOn = new Set<string>();
  private since = 0;
  private sumMs = 0;
  firstAt: number | undefined;

  constructor(world: World) {
    this.world = world;
    const fabric = fabricOf(world);
    if (fabric.policies.isEmpty || !this.enforcesSome()) return;
    fabric.onPathChange((node) => this.look(node));
    fabric.policies.onChange(() => {
      for (const node of world.nodes.keys()) this.look(node);
    });
  }

  seconds(): number {
    const running = this.openOn.size > 0 ? this.world.kernel.now() - this.since : 0;
    return Math.round((this.sumMs + running) / 100) / 10;
  }

  private enforcesSome(): boolean {
    return [...this.world.nodes.values()].some((node) =>
      this.selectedPods(node).some((mode) => mode !== 'never'),
    );
  }

  private look(name: string): void {
    const node = this.world.nodes.get(name);
    if (node === undefined) return;
    const now = this.world.kernel.now();
    const open = this.selectedPods(node).includes('never');
    if (open === this.openOn.has(name)) return;
    if (open) {
      if (this.openOn.size === 0) this.since = now;
      this.firstAt ??= now;
      this.openOn.add(name);
      return;
    }
    this.openOn.delete(name);
    if (this.openOn.size === 0) this.sumMs += now - this.since;
  }

  /** How each selected pod on the node is bound. */
  private selectedPods(node: TwinNode): readonly string[] {
    const { policies } = fabricOf(this.world);
    const network = networkOf(node);
    return this.world.store.podsOn(node.name).flatMap((pod) => {
      const attachment = network.attachmentOf(pod.metadata.uid ?? '');
      if (attachment === undefined || policies.selecting(pod).length === 0) return [];
      return [enforcement({ node, network, attachment, pod })];
    });
  }
}
