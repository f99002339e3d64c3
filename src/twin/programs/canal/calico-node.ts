/**
 * calico-node in Canal: policies only, Flannel carries the packets. Once the API server answered it
 * leaves the nodename file that its plugin asks for, and keeps the plugin's kubeconfig fresh
 * (calico:node/pkg/lifecycle/startup/startup.go, node/pkg/cni/token_watch.go@87c1590). Its rules stay in
 * the kernel when it ends.
 */
import { CALICO_KUBECONFIG, CALICO_NODENAME } from '../../../knowledge/canal.ts';
import type { Process, ProcessHost } from '../../world.ts';
import { apiAccess } from '../api-access.ts';
import { writeFelixRules } from '../../network/old-rules.ts';
import { Life } from '../life.ts';
import { keepPolicyRules } from '../policy-rules.ts';
import { startWhen } from '../start-when.ts';
import { pluginKubeconfig } from './plugin-account.ts';

export function calicoNode(host: ProcessHost): Process {
  const { node, world } = host;
  const life = new Life(world.kernel);
  const serve = (): void => {
    if (node.files.read(CALICO_NODENAME) !== node.name)
      node.files.write(CALICO_NODENAME, node.name);
    const kubeconfig = pluginKubeconfig(host);
    if (node.files.read(CALICO_KUBECONFIG) !== kubeconfig)
      node.files.write(CALICO_KUBECONFIG, kubeconfig, { mode: 0o600 });
    keepPolicyRules(node, life, {
      write: writeFelixRules,
      everyMs: world.constants.felixRefreshMs,
    });
    host.setReady(true);
  };
  startWhen(host, life, () => apiAccess(host).ok, serve);
  return life.asProcess();
}
