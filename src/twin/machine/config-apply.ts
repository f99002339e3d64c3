/**
 * Applying a machine config patch in Talos's modes: live where the change allows it, else at a
 * reboot; `try` takes itself back after a minute (knowledge talos-and-cni-selection.md 4.6, 4.7).
 */
import { atLeast } from '../../base/versions.ts';
import { applyMachineConfigPatch } from '../../knowledge/talos-config/apply-patch.ts';
import { documentsOf } from '../../knowledge/talos-config/document-text.ts';
import type { PatchMode } from '../../ports/node-host.ts';
import type { World } from '../world.ts';
import { changedPaths, needReboot } from './immediate-changes.ts';

export interface ConfigState {
  active: string;
  /** Written, in force from the next boot on. */
  staged: string | undefined;
}

export interface ApplyHost {
  readonly world: World;
  readonly node: string;
  readonly version: string;
  reboot(): void;
  onApplied(): void;
}

export type ApplyResult = { readonly ok: true } | { readonly ok: false; readonly message: string };

/** constants.ConfigTryTimeout of Talos. */
const TRY_TIMEOUT_MS = 60_000;
const NO_REBOOT_MODE =
  'the REBOOT mode is not supported, please use AUTO or NO_REBOOT modes instead';

export function applyConfig(
  host: ApplyHost,
  state: ConfigState,
  patch: string,
  mode: PatchMode,
): ApplyResult {
  const patched = applyMachineConfigPatch(state.staged ?? state.active, patch, host.version);
  if (!patched.ok) return refuse(host, patched.message);
  const live = atLeast(host.version, '1.14.0-0');
  if (live && mode === 'reboot') return refuse(host, NO_REBOOT_MODE);
  if (mode === 'staged') {
    state.staged = patched.config;
    applied(host, 'staged until the next boot');
    return { ok: true };
  }
  const blocked = live ? [] : needReboot(changes(state.active, patched.config));
  if (mode === 'reboot' || (mode === 'auto' && blocked.length > 0)) {
    state.staged = patched.config;
    applied(host, 'written; the machine reboots to apply it');
    host.reboot();
    return { ok: true };
  }
  if (blocked.length > 0) {
    return refuse(
      host,
      `this config change can't be applied in immediate mode\ndiff: ${blocked.join(', ')}`,
    );
  }
  makeActive(host, state, patched.config, mode);
  return { ok: true };
}

function makeActive(host: ApplyHost, state: ConfigState, config: string, mode: PatchMode): void {
  const before = state.active;
  state.active = config;
  applied(host, mode === 'try' ? 'live, and taken back in a minute' : 'live, without a reboot');
  host.onApplied();
  if (mode !== 'try') return;
  host.world.kernel.after(TRY_TIMEOUT_MS, () => {
    state.active = before;
    applied(host, 'taken back: the time to try it is over');
    host.onApplied();
  });
}

function applied(host: ApplyHost, how: string): void {
  host.world.kernel.occur('talos.config-applied', {
    node: host.node,
    message: `machine config of ${host.node} changed: ${how}`,
  });
}

function refuse(host: ApplyHost, message: string): ApplyResult {
  const { kernel } = host.world;
  // A refusal changes nothing, so it is no cause of what the caller does next.
  kernel.because(kernel.causes, () =>
    kernel.occur('talos.config-rejected', {
      node: host.node,
      message: `${host.node} refused the patch: ${message}`,
    }),
  );
  return { ok: false, message };
}

function changes(before: string, after: string): readonly string[] {
  const old = documentsOf(before);
  return documentsOf(after).flatMap((document, index) => changedPaths(old[index] ?? {}, document));
}
