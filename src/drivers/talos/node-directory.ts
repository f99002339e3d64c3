/**
 * Kubernetes names of nodes → what Talos calls them: an address that every endpoint reaches. From the
 * cluster's members; where a machine's name is not its node's, each machine says its own.
 */
import { z } from 'zod';
import { RegaugeError } from '../../base/errors.ts';
import { MEMBERS, NODENAME } from '../../knowledge/talos-resources.ts';
import { getResource, listResources } from './state.ts';
import type { TalosChannel } from './talos-channel.ts';

export interface TalosMember {
  /** As the machine calls itself. */
  readonly hostname: string;
  readonly addresses: readonly string[];
  readonly controlPlane: boolean;
  /** `Talos (v1.13.9)`. */
  readonly system: string;
}

export interface NodeDirectoryOptions {
  /** Addresses by Kubernetes name that are known already, e.g. from Node objects. */
  readonly addresses?: ReadonlyMap<string, string>;
  /** Where there is no discovery: the nodes of the talosconfig. */
  readonly nodes?: readonly string[];
}

const MemberSchema = z.looseObject({
  addresses: z.array(z.string()),
  hostname: z.string(),
  machineType: z.string(),
  operatingSystem: z.string().optional(),
});

const NodenameSchema = z.looseObject({ nodename: z.string() });

async function clusterMembers(channel: TalosChannel): Promise<readonly TalosMember[]> {
  const resources = await listResources(channel, undefined, MEMBERS);
  return resources.map((resource) => {
    const result = MemberSchema.safeParse(resource.spec());
    if (!result.success) {
      throw new RegaugeError('refused', `the member ${resource.id} of the cluster cannot be read`);
    }
    const { addresses, hostname, machineType, operatingSystem = '' } = result.data;
    const controlPlane = machineType === 'controlplane' || machineType === 'init';
    return { hostname, addresses, controlPlane, system: operatingSystem };
  });
}

/** What the machine at the address is called in Kubernetes; undefined before it has a name there. */
async function kubernetesNameOf(channel: TalosChannel, node: string): Promise<string | undefined> {
  const resource = await getResource(channel, node, NODENAME);
  const result = NodenameSchema.safeParse(resource?.spec());
  return result.success ? result.data.nodename : undefined;
}

export class NodeDirectory {
  private readonly channel: TalosChannel;
  private readonly options: NodeDirectoryOptions;
  private readonly found = new Map<string, string>();
  private members: Promise<readonly TalosMember[]> | undefined;
  private asked: Promise<void> | undefined;

  constructor(channel: TalosChannel, options: NodeDirectoryOptions = {}) {
    this.channel = channel;
    this.options = options;
    for (const [name, address] of options.addresses ?? []) this.found.set(name, address);
  }

  /** The address of a node by its Kubernetes name; `not-found` when no machine bears it. */
  async addressOf(name: string): Promise<string> {
    const known = this.found.get(name);
    if (known !== undefined) return known;
    const earlier = this.members;
    await this.learnMembers();
    if (!this.found.has(name) && earlier !== undefined) {
      // It may have joined since they were asked for.
      if (this.members === earlier) this.members = undefined;
      await this.learnMembers();
    }
    const named = this.found.get(name);
    if (named !== undefined) return named;
    this.asked ??= this.askEach().finally(() => (this.asked = undefined));
    await this.asked;
    const address = this.found.get(name);
    if (address !== undefined) return address;
    throw new RegaugeError('not-found', `there is no Talos machine for node ${name}`, {
      hint: `Talos knows: ${[...this.found.keys()].toSorted().join(', ') || 'none'}`,
    });
  }

  async controlPlanes(): Promise<readonly string[]> {
    const members = await this.learnMembers();
    return members.flatMap((member) =>
      member.controlPlane && member.addresses[0] !== undefined ? [member.addresses[0]] : [],
    );
  }

  private async learnMembers(): Promise<readonly TalosMember[]> {
    this.members ??= clusterMembers(this.channel);
    try {
      const members = await this.members;
      for (const { hostname, addresses } of members) {
        const [address] = addresses;
        // Kubernetes names are lower case; a member may carry its domain.
        const name = hostname.toLowerCase();
        if (address !== undefined && !this.found.has(name)) this.found.set(name, address);
      }
      return members;
    } catch (error) {
      this.members = undefined;
      throw error;
    }
  }

  /** Each machine for its own name, one after the other: this is the rare case. */
  private async askEach(): Promise<void> {
    const members = await this.learnMembers();
    const addresses = new Set([
      ...members.flatMap((member) => member.addresses.slice(0, 1)),
      ...(this.options.nodes ?? []),
    ]);
    for (const address of addresses) {
      const name = await kubernetesNameOf(this.channel, address);
      if (name !== undefined) this.found.set(name, address);
    }
  }
}
