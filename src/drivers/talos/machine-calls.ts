/** What Talos's MachineService says of a machine, and what it does with it. */
import { create } from '@bufbuild/protobuf';
import { EmptySchema } from '@bufbuild/protobuf/wkt';
import { RegaugeError } from '../../base/errors.ts';
import { MachineService } from '../../knowledge/talos-api/machine/machine.ts';
import { RebootRequest_Mode } from '../../knowledge/talos-api/machine/power.ts';
import type { TalosChannel } from './talos-channel.ts';

export interface TalosVersion {
  /** `1.13.9`, without the `v`. */
  readonly version: string;
  readonly architecture: string;
  readonly platform: string | undefined;
  readonly rbac: boolean;
}

export interface TalosService {
  readonly id: string;
  /** `Running`, `Finished`… */
  readonly state: string;
  /** Undefined when the service has no health check, or none has run. */
  readonly healthy: boolean | undefined;
  readonly message: string;
}

/** Of the endpoint itself when no node is named. */
export async function talosVersion(
  channel: TalosChannel,
  node: string | undefined,
): Promise<TalosVersion> {
  const what = `ask ${node ?? 'the endpoint'} for its Talos version`;
  const method = MachineService.method.version;
  const answer = await channel.unary(method, create(EmptySchema), { node, what, isRead: true });
  const found = only(answer.messages, what);
  return {
    version: (found.version?.tag ?? '').replace(/^v/, ''),
    architecture: found.version?.arch ?? '',
    platform: found.platform?.name,
    rbac: found.features?.rbac ?? false,
  };
}

export async function talosServices(
  channel: TalosChannel,
  node: string,
): Promise<readonly TalosService[]> {
  const what = `list the services of ${node}`;
  const method = MachineService.method.serviceList;
  const answer = await channel.unary(method, create(EmptySchema), { node, what, isRead: true });
  return only(answer.messages, what).services.map(({ id, state, health }) => ({
    id,
    state,
    healthy: health === undefined || health.unknown ? undefined : health.healthy,
    message: health?.lastMessage ?? '',
  }));
}

/** Only kubelet and extension services can be; Talos refuses the others in its own words. */
export async function restartTalosService(
  channel: TalosChannel,
  node: string,
  service: string,
): Promise<void> {
  const what = `restart service ${service} of ${node}`;
  const method = MachineService.method.serviceRestart;
  const answer = await channel.unary(method, { id: service }, { node, what, isRead: false });
  only(answer.messages, what);
}

export type RebootMode = 'default' | 'powercycle' | 'force';

const REBOOT_MODES = {
  default: RebootRequest_Mode.DEFAULT,
  powercycle: RebootRequest_Mode.POWERCYCLE,
  force: RebootRequest_Mode.FORCE,
} as const;

export async function rebootNode(
  channel: TalosChannel,
  node: string,
  mode: RebootMode = 'default',
): Promise<void> {
  const what = `reboot ${node}`;
  const method = MachineService.method.reboot;
  const request = { mode: REBOOT_MODES[mode] };
  const answer = await channel.unary(method, request, { node, what, isRead: false });
  only(answer.messages, what);
}

interface Answer {
  readonly metadata?: { readonly error: string } | undefined;
}

/** The one message of an answer that one node gave. An endpoint puts a node's error in its metadata. */
export function only<M extends Answer>(messages: readonly M[], what: string): M {
  const [first] = messages;
  if (first === undefined) throw new RegaugeError('refused', `cannot ${what}: the answer is empty`);
  const error = first.metadata?.error ?? '';
  if (error !== '') throw new RegaugeError('refused', `cannot ${what}: ${error}`);
  return first;
}
