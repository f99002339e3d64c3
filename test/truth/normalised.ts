/** What is compared: identifiers masked as the measurements mask them, races taken out. */
import type { CallTrace } from '../../src/twin/runtime/plugin-call.ts';

export function masked(text: string): string {
  return text
    .replaceAll(/[0-9a-f]{64}/g, '<ID>')
    .replaceAll(/\/[^\s"]*netns\/(cni-)?(<ID>|[0-9a-f-]{8,})/g, '<NETNS>');
}

/** A call as the shim wrote it; a script notes itself when it starts, and knows no network. */
export function shownCall(call: CallTrace): string {
  const { verb, plugin, network, ifName, netns, exitCode } = call;
  const words =
    exitCode === undefined
      ? `${verb} ${plugin} ${ifName}`
      : [verb, plugin, network, ifName].filter((word) => word !== '').join(' ');
  const failure = exitCode !== undefined && exitCode !== 0 ? ` rc=${exitCode}` : '';
  return `${words}${failure}${netns === '' ? ' (netns="")' : ''}`;
}

const STATUS = /^STATUS /;

/**
 * Networks are attached side by side, so what happens until the last ADD mixes as chance has it (a
 * bridge that fails gives its address back before): order counts within a network. STATUS polls
 * repeat as often as somebody waits.
 */
export function comparableCalls(calls: readonly string[]): readonly string[] {
  const once = calls.filter((call, index) => !STATUS.test(call) || calls[index - 1] !== call);
  const end = once.findLastIndex((call) => call.startsWith('ADD ')) + 1;
  const adds = once.slice(0, end);
  const rest = once.slice(end);
  const byNetwork = new Map<string, string[]>();
  for (const call of adds) {
    const key = interfaceOf(call);
    byNetwork.set(key, [...(byNetwork.get(key) ?? []), call]);
  }
  const sorted = [...byNetwork].sort(([left], [right]) => (left < right ? -1 : 1));
  return [...sorted.flatMap(([, group]) => group), ...rest];
}

function interfaceOf(call: string): string {
  return (
    call
      .replace(/ rc=\d+.*$/, '')
      .split(' ')
      .at(-1) ?? ''
  );
}

/** The measurements name a pod's network by its address. */
export function networkOfAddress(address: string): string | null {
  if (address === '') return null;
  if (address.startsWith('10.244.')) return 'cbr0 (flannel)';
  if (address.startsWith('10.245.')) return 'cilium (emulated)';
  const bridge = /^10\.2(\d)\./.exec(address);
  return bridge === null ? address : `net${bridge[1] ?? ''} (bridge)`;
}
