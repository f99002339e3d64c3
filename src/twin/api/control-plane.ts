/**
 * Whether the control plane answers: etcd has quorum of the control-plane machines, and on one of
 * them an API server runs (a static pod where the cluster shows one, else part of the machine).
 */
import type { ObjectStore } from '../store/object-store.ts';
import type { TwinNode } from '../world.ts';

const API_SERVER = 'kube-apiserver';

export interface ControlPlaneParts {
  readonly store: ObjectStore;
  readonly nodes: ReadonlyMap<string, TwinNode>;
}

export class ControlPlane {
  private readonly parts: ControlPlaneParts;
  private members: readonly TwinNode[] | undefined;
  private nodeCount = 0;

  constructor(parts: ControlPlaneParts) {
    this.parts = parts;
  }

  healthy(): boolean {
    const members = this.all();
    // A cluster whose control plane is elsewhere is not ours to doubt.
    if (members.length === 0) return true;
    return hasQuorum(members) && members.some((node) => this.serves(node));
  }

  /** How many members of etcd are up, where these are too few; undefined while there is a quorum. */
  lostQuorum(): { readonly up: number; readonly members: number } | undefined {
    const members = this.all();
    if (members.length === 0 || hasQuorum(members)) return undefined;
    return { up: upOf(members), members: members.length };
  }

  /** The first node whose API server runs; what clients in the cluster are taken to talk to. */
  servingNode(): TwinNode | undefined {
    return this.all().find((node) => this.serves(node));
  }

  private all(): readonly TwinNode[] {
    const { nodes } = this.parts;
    if (this.members === undefined || this.nodeCount !== nodes.size) {
      this.nodeCount = nodes.size;
      this.members = [...nodes.values()].filter(({ role }) => role === 'control-plane');
    }
    return this.members;
  }

  private serves(node: TwinNode): boolean {
    if (!node.machine.up) return false;
    const pod = this.parts.store.get('Pod', 'kube-system', `${API_SERVER}-${node.name}`);
    if (pod?.metadata.uid === undefined) return true;
    return node.kubelet.process(pod.metadata.uid, API_SERVER) !== undefined;
  }
}

function upOf(members: readonly TwinNode[]): number {
  return members.filter(({ machine }) => machine.up).length;
}

function hasQuorum(members: readonly TwinNode[]): boolean {
  return upOf(members) >= Math.floor(members.length / 2) + 1;
}
