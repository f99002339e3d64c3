/** The loopback plugin (`plugins:plugins/main/loopback/loopback.go@v1.6.2`; truth:A29, L13). */
import { type CniResult, DONE } from '../plugin-call.ts';
import type { PluginProgram } from '../plugin-host.ts';
import { pluginProgram } from './skeleton.ts';
import { referenceVersions } from './versions.ts';

/**
 * Versions in which its result is not what their readers look for: it calls a result of today's form
 * one of these versions, and nothing converts it (`cni:pkg/types/internal/convert.go@v1.2.3`; seen
 * on containerd 1.6.20 and 2.0.5).
 */
const UNREADABLE = new Set(['0.1.0', '0.2.0']);

/** Whatever interface it is called for, it brings up `lo` and reports that. */
function resultOf(cniVersion: string): CniResult {
  return {
    kind: 'result',
    cniVersion,
    interfaces: ['lo'],
    addresses: UNREADABLE.has(cniVersion)
      ? []
      : [
          { address: '127.0.0.1', onInterface: 0, gateway: undefined },
          { address: '::1', onInterface: 0, gateway: undefined },
        ],
    defaultRoute: false,
  };
}

export const loopback: PluginProgram = {
  ...pluginProgram(
    { add: (call) => call.previous ?? resultOf(call.cniVersion), del: () => DONE },
    referenceVersions,
  ),
  constant: true,
};
