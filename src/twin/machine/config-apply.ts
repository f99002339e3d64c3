/**
 * Applying a machine config, or a patch of it, in Talos's modes: live where the change allows it, else at a
 * reboot; `try` takes itself back after a minute (knowledge talos-and-cni-selection.md 4.6, 4.7).
 */
import { atLeast } from '../../base/versions.ts';
import { conflictsOf } from '../../knowledge/talos-config/conflicts.ts';
import { decodeMachineConfig } from '../../knowledge/talos-config/decode.ts';
import { documentsOf } from '../../knowledge/talos-config/document-text.ts';
import { MAIN_DOCUMENT } from '../../knowledge/talos-config/keys.ts';
import { isTable } from '../../knowledge/talos-config/merge-config.ts';
import type { PatchMode } from '../../ports/node-host.ts';
import type { Timer } from '../kernel/kernel.ts';
import type { World } from '../world.ts';
import type { ConfigAnswer } from './systems.ts';
import { changedPaths, needReboot } from './immediate-changes.ts';
import { patchedConfig } from './talos-config.ts';

export interface ConfigState {
  active: string;
  /** Written, in force from the next boot on. */
  staged: string | undefined;
  /** What comes back when the time to try the active one is over. */
  tried?: string | undefined;
  trial?: Timer | undefined;
}

export interface ApplyHost {
  readonly world: World;
  readonly node: string;
  readonly version: string;
  reboot(): void;
  onApplied(): void;
}

export interface ApplyOptions {
  readonly mode: PatchMode;
  /** How long a tried config holds. */
  readonly tryMs?: number;
  readonly dryRun?: boolean;
}

/** v1alpha1_server.go@v1.13.9 ApplyConfiguration. */
const NO_MAIN_DOCUMENT =
  "the applied machine configuration doesn't contain v1alpha1 config, did you mean to patch the machine config instead?";
const NO_REBOOT_MODE =
  'the REBOOT mode is not supported, please use AUTO or NO_REBOOT modes instead';

/** A patch, on the config that the next boot would have. */
export function applyPatch(
  host: ApplyHost,
  state: ConfigState,
  patch: string,
  mode: PatchMode,
): ConfigAnswer {
  const patched = patchedConfig(state.staged ?? state.active, patch, host.version);
  if (!patched.ok) return refuse(host, patched.message);
  return putInForce(host, state, patched.config, { mode });
}

/** A whole config, as `ApplyConfiguration` takes it; decoded as strictly as a patch. */
export function applyConfig(
  host: ApplyHost,
  state: ConfigState,
  config: string,
  options: ApplyOptions,
): ConfigAnswer {
  const decoded = decodeMachineConfig(config, { talosVersion: host.version });
  if (!decoded.ok) return refuse(host, decoded.message);
  if (!decoded.documents.some(({ kind }) => kind === MAIN_DOCUMENT)) {
    return refuse(host, NO_MAIN_DOCUMENT);
  }
  const [conflict] = conflictsOf(decoded.documents, host.version);
  if (conflict !== undefined) return refuse(host, conflict);
  return putInForce(host, state, config, options);
}

function putInForce(
  host: ApplyHost,
  state: ConfigState,
  config: string,
  options: ApplyOptions,
): ConfigAnswer {
  const live = atLeast(host.version, '1.14.0-0');
  if (live && options.mode === 'reboot') return refuse(host, NO_REBOOT_MODE);
  const blocked = live ? [] : needReboot(changes(state.active, config));
  const mode = chosenMode(options.mode, blocked.length > 0);
  if (blocked.length > 0 && (mode === 'no-reboot' || mode === 'try')) {
    return refuse(
      host,
      `this config change can't be applied in immediate mode\ndiff: ${blocked.join(', ')}`,
    );
  }
  if (options.dryRun === true) return { ok: true, mode };
  if (mode === 'staged' || mode === 'reboot') {
    state.staged = config;
    applied(host, STORED[mode]);
    if (mode === 'reboot') host.reboot();
  } else {
    const { tryMs = host.world.constants.configTryMs } = options;
    makeActive(host, state, config, mode === 'try' ? tryMs : undefined);
  }
  return { ok: true, mode };
}

const STORED = {
  staged: 'staged until the next boot',
  reboot: 'written; the machine reboots to apply it',
} as const;

function chosenMode(mode: PatchMode, needsReboot: boolean): Exclude<PatchMode, 'auto'> {
  if (mode !== 'auto') return mode;
  return needsReboot ? 'reboot' : 'no-reboot';
}

function makeActive(
  host: ApplyHost,
  state: ConfigState,
  config: string,
  tryMs: number | undefined,
): void {
  const before = state.active;
  state.active = config;
  state.trial?.cancel();
  state.trial = undefined;
  const how = tryMs === undefined ? 'live, without a reboot' : 'live, and taken back in a minute';
  applied(host, how);
  host.onApplied();
  if (tryMs === undefined) {
    // What was written live is what is on disk: it replaces what was staged or stood before a trial.
    state.staged = undefined;
    state.tried = undefined;
    return;
  }
  // A second try on top of the first goes back to what is on disk, too.
  const onDisk = (state.tried ??= before);
  state.trial = host.world.kernel.after(tryMs, () => {
    state.active = onDisk;
    state.tried = undefined;
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

function refuse(host: ApplyHost, message: string): ConfigAnswer {
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

/** Only of the main document: the others are applied live whatever they say (CanApplyImmediate). */
function changes(before: string, after: string): readonly string[] {
  return changedPaths(mainOf(before), mainOf(after));
}

function mainOf(config: string): unknown {
  return documentsOf(config).find((document) => isTable(document) && !('kind' in document));
}
