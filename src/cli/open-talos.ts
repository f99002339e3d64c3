/** The Talos API that the flags and the user's settings name, found as talosctl finds it. */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { RegaugeError } from '../base/errors.ts';
import { TalosChannel } from '../drivers/talos/talos-channel.ts';
import { findTalosconfig, readTalosContext } from '../drivers/talos/talosconfig.ts';
import type { CliContext } from './context.ts';
import type { TalosFlags } from './flags.ts';

/** Throws `bad-input` where there is no talosconfig, or none that can be used. */
export function openTalos({ process }: CliContext, flags: TalosFlags): TalosChannel {
  const { env } = process;
  const sources = { env, homeDirectory: env['HOME'] ?? homedir(), readFile: textIn };
  const endpoints = listIn(flags.endpoints);
  const { talosconfig, talosContext } = flags;
  const context = readTalosContext(findTalosconfig(sources, talosconfig), {
    ...(talosContext === undefined ? {} : { context: talosContext }),
    ...(endpoints === undefined ? {} : { endpoints }),
  });
  return new TalosChannel({ context });
}

/** Whether the user named a talosconfig, or something of it: then its faults are errors. */
export function asksForTalos({ talosconfig, talosContext, endpoints }: TalosFlags): boolean {
  return talosconfig !== undefined || talosContext !== undefined || endpoints !== undefined;
}

export function listIn(text: string | undefined): readonly string[] | undefined {
  return text
    ?.split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '');
}

function textIn(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    const why = error instanceof Error ? error.message : String(error);
    throw new RegaugeError('bad-input', `cannot be read: ${why}`, { source: { file: path } });
  }
}
