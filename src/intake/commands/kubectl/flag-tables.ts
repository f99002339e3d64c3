/** The kubectl verbs that can be rehearsed, with the flags each takes. */
import type { FlagTable } from '../flags.ts';

export const EVERYWHERE: FlagTable = {
  '--namespace': 'value',
  '--context': 'ignored-value',
  '--kubeconfig': 'ignored-value',
  '--output': 'ignored-value',
  '--wait': 'ignored-switch',
  '--v': 'ignored-value',
};

export const ALIASES: Readonly<Record<string, string>> = {
  '-n': '--namespace',
  '-o': '--output',
  '-l': '--selector',
  '-f': '--filename',
  '-p': '--patch',
  '-v': '--v',
};

const APPLY: FlagTable = {
  '--filename': 'value',
  '--server-side': 'ignored-switch',
  '--force-conflicts': 'ignored-switch',
  '--field-manager': 'ignored-value',
};
const MARK: FlagTable = { '--overwrite': 'ignored-switch' };

export const TABLES: Readonly<Record<string, FlagTable>> = {
  apply: APPLY,
  create: APPLY,
  delete: {
    '--selector': 'value',
    '--field-selector': 'value',
    '--all': 'switch',
    '--force': 'switch',
    '--grace-period': 'value',
    '--ignore-not-found': 'ignored-switch',
    '--timeout': 'ignored-value',
  },
  patch: { '--type': 'value', '--patch': 'value' },
  rollout: { '--selector': 'value', '--timeout': 'value', '--watch': 'ignored-switch' },
  wait: { '--for': 'value', '--selector': 'value', '--timeout': 'value', '--all': 'switch' },
  label: MARK,
  annotate: MARK,
  taint: MARK,
  scale: { '--replicas': 'value' },
  cordon: {},
  uncordon: {},
  drain: {
    '--ignore-daemonsets': 'switch',
    '--delete-emptydir-data': 'switch',
    '--delete-local-data': 'switch',
    '--force': 'switch',
    '--timeout': 'value',
    '--grace-period': 'ignored-value',
  },
};

/** Verbs that only read. Their flags are not looked at: nothing of them could change a cluster. */
export const READING = [
  'get',
  'describe',
  'logs',
  'top',
  'events',
  'version',
  'cluster-info',
  'api-resources',
  'explain',
  'diff',
];
