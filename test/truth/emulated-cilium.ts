/**
 * The stand-in for cilium-cni that the measurements used where no agent could run: delegates to the
 * real bridge plugin when its agent is "up" (the socket file is there), else prints the real error
 * at once. Part of the method, so part of the test and not of the twin.
 */
import type { JsonObject } from '../../src/knowledge/go-json.ts';
import {
  DONE,
  type PluginCall,
  type PluginRun,
  failed,
} from '../../src/twin/runtime/plugin-call.ts';
import type { PluginHost } from '../../src/twin/runtime/plugin-host.ts';
import { VERSIONS_UNTIL_1_1, pluginProgram } from '../../src/twin/runtime/plugins/skeleton.ts';
import { Waiting } from '../../src/twin/runtime/run.ts';

const SOCKET = '/run/cilium/cilium.sock';
const DELAY = '/run/cilium/emul-delay';

const DELEGATE: JsonObject = {
  type: 'bridge',
  bridge: 'cilbr0',
  isGateway: true,
  isDefaultGateway: true,
  ipam: { type: 'host-local', ranges: [[{ subnet: '10.245.1.0/24' }]] },
};

const DOWN =
  'unable to connect to Cilium agent: failed to create cilium agent client after 30.000000 seconds timeout: ' +
  'Get "http://localhost/v1/config": dial unix /var/run/cilium/cilium.sock: connect: no such file or directory\n' +
  'Is the agent running?';

function up(host: PluginHost): boolean {
  return host.files.exists(SOCKET);
}

function add(call: PluginCall, host: PluginHost): PluginRun {
  const seconds = Number(host.files.read(DELAY) ?? 0);
  if (seconds === 0) return addNow(call, host);
  return new Waiting(seconds * 1_000, (killed) =>
    killed ? failed('netplugin failed with no error message: signal: killed') : addNow(call, host),
  );
}

function addNow(call: PluginCall, host: PluginHost): PluginRun {
  if (!up(host)) return failed(DOWN);
  return host.execute('bridge', { ...call, conf: DELEGATE, name: 'cilium' });
}

function del(call: PluginCall, host: PluginHost): PluginRun {
  return up(host) ? host.execute('bridge', { ...call, conf: DELEGATE, name: 'cilium' }) : DONE;
}

export const emulatedCilium = pluginProgram({ add, del }, () => VERSIONS_UNTIL_1_1);
