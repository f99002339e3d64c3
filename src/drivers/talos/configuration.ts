/**
 * The machine config: read whole, patched here with the code that judges patches everywhere, and
 * applied whole, since Talos has no call that patches (knowledge talos-and-cni-selection.md 4.12).
 */
import { RegaugeError } from '../../base/errors.ts';
import { atLeast } from '../../base/versions.ts';
import { ApplyConfigurationRequest_Mode as Mode } from '../../knowledge/talos-api/machine/configuration.ts';
import { MachineService } from '../../knowledge/talos-api/machine/machine.ts';
import { applyMachineConfigPatch } from '../../knowledge/talos-config/apply-patch.ts';
import { MACHINE_CONFIG, PERSISTENT_CONFIG_ID } from '../../knowledge/talos-resources.ts';
import type { PatchMode } from '../../ports/node-host.ts';
import { only, talosVersion } from './machine-calls.ts';
import { configTextOf, getResource } from './state.ts';
import type { TalosChannel } from './talos-channel.ts';

const APPLY_MS = 60_000;

const MODES = {
  auto: Mode.AUTO,
  'no-reboot': Mode.NO_REBOOT,
  reboot: Mode.REBOOT,
  staged: Mode.STAGED,
  try: Mode.TRY,
} as const satisfies Record<PatchMode, Mode>;

export interface ApplyOptions {
  readonly mode: PatchMode;
  /** Only says what would be done. */
  readonly dryRun?: boolean;
}

export interface ApplyOutcome {
  readonly warnings: readonly string[];
  /** Talos's words: how it was applied, or what would change. */
  readonly details: string;
}

/** The config in force, all documents. Needs os:admin. */
export async function activeConfig(channel: TalosChannel, node: string): Promise<string> {
  const resource = await getResource(channel, node, MACHINE_CONFIG);
  if (resource !== undefined) return configTextOf(resource);
  throw new RegaugeError('not-found', `${node} has no machine config in force`, {
    hint: 'it may be in maintenance mode: talosctl apply-config --insecure',
  });
}

async function applyConfiguration(
  channel: TalosChannel,
  node: string,
  config: string,
  { mode, dryRun = false }: ApplyOptions,
): Promise<ApplyOutcome> {
  const what = `apply the machine config of ${node}`;
  const answer = await channel.unary(
    MachineService.method.applyConfiguration,
    { data: Buffer.from(config, 'utf8'), mode: MODES[mode], dryRun },
    { node, what, isRead: dryRun, deadlineMs: APPLY_MS },
  );
  const { warnings, modeDetails } = only(answer.messages, what);
  return { warnings, details: modeDetails };
}

/**
 * `refused` with the words of the decoder that refuses the patch, ours or Talos's. A config that waits
 * for a reboot is patched further only in the modes that wait as well: a live change would drop it.
 */
export async function patchConfiguration(
  channel: TalosChannel,
  node: string,
  patch: string,
  options: ApplyOptions,
): Promise<ApplyOutcome> {
  const { version } = await talosVersion(channel, node);
  const base = await configToPatch(channel, node, version, options.mode);
  const patched = applyMachineConfigPatch(base, patch, version);
  if (!patched.ok) throw new RegaugeError('refused', patched.message);
  return applyConfiguration(channel, node, patched.config, options);
}

async function configToPatch(
  channel: TalosChannel,
  node: string,
  version: string,
  mode: PatchMode,
): Promise<string> {
  const active = await activeConfig(channel, node);
  if (!atLeast(version, '1.10.0')) return active;
  const resource = await getResource(channel, node, {
    ...MACHINE_CONFIG,
    id: PERSISTENT_CONFIG_ID,
  });
  if (resource === undefined) return active;
  const persistent = configTextOf(resource);
  if (persistent === active) return active;
  if (mode === 'staged' || mode === 'reboot') return persistent;
  throw new RegaugeError(
    'conflict',
    `the machine config of ${node} on disk is not the one in force, and a live change would drop one of them`,
    {
      hint: 'a staged config waits for a reboot, a tried one for its minute to end; then try again',
    },
  );
}
