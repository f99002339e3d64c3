/**
 * Whether the control plane answers: etcd has quorum of the control-plane machines, and on one of
 * them an API server runs (a static pod where the cluster shows one, else part of the machine).
 */
import type { ObjectStore } from '../store/object-store.ts';
import type { TwinNode } from '../world.ts';
import { type ControlPlaneDisturbances, disturbancesOf } from './disturbances.ts';

const API_SERVER = 'kube-apiserver';

export interface ControlPlaneParts {
  readonly store: ObjectStore;
  readonly nodes: ReadonlyMap<string, TwinNode>;
}

interface Member {
  readonly node: TwinNode;
  /** The name of its API server's static pod. */
  readonly apiServer: string;
}

export class ControlPlane {
  private readonly parts: ControlPlaneParts;
  private readonly disturbances: ControlPlaneDisturbances;
  private members: readonly Member[] | undefined;
  private lastServing: Member | undefined;
  private nodeCount = 0;

  constructor(parts: ControlPlaneParts) {
    this.parts = parts;
    this.disturbances = disturbancesOf(parts.store);
  }

  healthy(): boolean {
    const members = this.all();
    // A cluster whose control plane is elsewhere is not ours to doubt.
    if (members.length === 0) return true;
    if (!this.hasQuorum(members)) return false;
    // Asked before every sync and every call: whoever served last mostly still does.
    if (this.lastServing !== undefined && this.serves(this.lastServing)) return true;
    this.lastServing = members.find((member) => this.serves(member));
    return this.lastServing !== undefined;
  }

  /** How many members of etcd are up, where these are too few; undefined while there is a quorum. */
  lostQuorum(): { readonly up: number; readonly members: number } | undefined {
    const members = this.all();
    if (members.length === 0 || this.hasQuorum(members)) return undefined;
    return { up: this.upOf(members), members: members.length };
  }

  /** The first node whose API server runs; what clients in the cluster are taken to talk to. */
  servingNode(): TwinNode | undefined {
    return this.all().find((member) => this.serves(member))?.node;
  }

  /** All of them, on their nodes. */
  servingNodes(): readonly TwinNode[] {
    return this.all()
      .filter((member) => this.serves(member))
      .map(({ node }) => node);
  }

  runsOn(node: TwinNode): boolean {
    return this.all().some((member) => member.node === node && this.serves(member));
  }

  private all(): readonly Member[] {
    const { nodes } = this.parts;
    if (this.members === undefined || this.nodeCount !== nodes.size) {
      this.nodeCount = nodes.size;
      this.lastServing = undefined;
      this.members = [...nodes.values()]
        .filter(({ role }) => role === 'control-plane')
        .map((node) => ({ node, apiServer: `${API_SERVER}-${node.name}` }));
    }
    return this.members;
  }

  private serves({ node, apiServer }: Member): boolean {
    if (!isUp(node)) return false;
    const uid = this.parts.store.get('Pod', 'kube-system', apiServer)?.metadata.uid;
    return uid === undefined || node.kubelet.process(uid, API_SERVER) !== undefined;
  }

  private upOf(members: readonly Member[]): number {
    const { failedMembers } = this.disturbances;
    let up = 0;
    for (const { node } of members) if (isUp(node) && !failedMembers.has(node.name)) up += 1;
    return up;
  }

  private hasQuorum(members: readonly Member[]): boolean {
    const { failedMembers } = this.disturbances;
    let missing = Math.floor(members.length / 2) + 1;
    for (const { node } of members) {
      if (isUp(node) && !failedMembers.has(node.name)) missing -= 1;
      if (missing === 0) return true;
    }
    return false;
  }
}

/** Where they are parts of a service of the system, API server and etcd are there while it is. */
export function isUp({ machine }: TwinNode): boolean {
  return machine.up && machine.service?.running !== false;
}
