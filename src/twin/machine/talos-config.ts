/** The settings of a node's active config text, read once per text. */
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
