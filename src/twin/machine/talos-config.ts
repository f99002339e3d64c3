/**
 * What comes of a node's config text: its settings, read once per text, and the text after a patch,
 * made once for each of the last few, since a sweep plays the same patches on the same nodes over
 * and over.
 */
import {
  applyMachineConfigPatch,
  type PatchResult,
} from '../../knowledge/talos-config/apply-patch.ts';
import { decodeMachineConfig } from '../../knowledge/talos-config/decode.ts';
import { type MachineSettings, machineSettings } from '../../knowledge/talos-config/settings.ts';

const read = new Map<string, MachineSettings>();
const READ_MAX = 4_096;

export function settingsOfConfig(config: string, talosVersion: string): MachineSettings {
  const key = `${talosVersion}\n${config}`;
  const known = read.get(key);
  if (known !== undefined) return known;
  const decoded = decodeMachineConfig(config, { talosVersion, inForce: true });
  const settings = machineSettings(decoded.ok ? decoded.documents : [], talosVersion);
  if (read.size >= READ_MAX) read.clear();
  read.set(key, settings);
  return settings;
}

const patched = new Map<string, PatchResult>();
/** Each holds a whole config: enough for the patches of a small cluster, where they come again. */
const PATCHED_MAX = 64;

export function patchedConfig(config: string, patch: string, talosVersion: string): PatchResult {
  const key = JSON.stringify([talosVersion, patch, config]);
  const known = patched.get(key);
  if (known !== undefined) return known;
  const result = applyMachineConfigPatch(config, patch, talosVersion);
  if (patched.size >= PATCHED_MAX) patched.clear();
  patched.set(key, result);
  return result;
}
