/**
 * What belongs to native routing goes with it: beside Flannel both networks need a tunnel of their
 * own, and agents end, or masquerade wrongly, where a tunnel meets these values.
 */
import { hasPath } from '../../knowledge/cilium-chart/values.ts';
import { dropValue, type Fixing, stringAt } from './edit.ts';

const OF_NATIVE_ROUTING = [
  ['autoDirectNodeRoutes', 'an agent that tunnels does not start with it (daemon/cmd/daemon.go)'],
  ['directRoutingSkipUnreachable', 'it goes with autoDirectNodeRoutes'],
  ['ipv4NativeRoutingCIDR', 'packets to that range would leave with pod addresses, unmasqueraded'],
  ['ipv6NativeRoutingCIDR', 'packets to that range would leave with pod addresses, unmasqueraded'],
] as const;

/** DSR needs native routing or Geneve: kubeproxy-free.rst, "Direct Server Return". */
const OF_DSR = ['loadBalancer.mode', 'loadBalancer.dsrDispatch'] as const;

export function fixRouting(fixing: Fixing): void {
  for (const [path, why] of OF_NATIVE_ROUTING) {
    if (!hasPath(fixing.values, path) || isOff(stringAt(fixing.values, path))) continue;
    dropValue(fixing, path);
    fixing.say(path, 'left out', `the migration tunnels; ${why}`);
  }
  const mode = stringAt(fixing.values, 'loadBalancer.mode');
  if (mode !== 'dsr' && mode !== 'hybrid') return;
  for (const path of OF_DSR) dropValue(fixing, path);
  fixing.say(
    'loadBalancer.mode',
    'snat',
    `${mode} needs native routing or Geneve, and the migration tunnels with VXLAN; change it afterwards`,
  );
}

function isOff(value: string | undefined): boolean {
  return value === undefined || value === '' || value === 'false';
}
