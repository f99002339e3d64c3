/** The plugins the twin knows as programs; scripts are interpreted, anything else does not run. */
import type { PluginProgram } from '../plugin-host.ts';
import { bridge } from './bridge.ts';
import { calico } from './calico.ts';
import { bandwidth, firewall, portmap, tuning } from './chained.ts';
import { ciliumCni } from './cilium-cni.ts';
import { flannel } from './flannel.ts';
import { hostLocal } from './host-local.ts';
import { loopback } from './loopback.ts';

export const PROGRAMS: ReadonlyMap<string, PluginProgram> = new Map([
  ['bandwidth', bandwidth],
  ['bridge', bridge],
  ['calico', calico],
  ['cilium-cni', ciliumCni],
  ['firewall', firewall],
  ['flannel', flannel],
  ['host-local', hostLocal],
  ['loopback', loopback],
  ['portmap', portmap],
  ['tuning', tuning],
]);
