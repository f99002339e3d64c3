/** Conf files as they are found, sound and broken. */
import type { Random } from '../../src/base/random.ts';

const VERSIONS = [
  '0.3.1',
  '0.3.1',
  '0.4.0',
  '0.4.0',
  '1.0.0',
  '1.0.0',
  '1.0.0',
  '1.1.0',
  '0.2.0',
  '',
];
const ODD_VERSIONS = ['9.9.9', 'abc', '1.2.0'];

type Plugin = Readonly<Record<string, unknown>>;

export interface ConfOptions {
  /** The flannel plugin's version. */
  readonly flannel: string;
  readonly fileName: string;
  /** Of the bridge and its network. */
  readonly number: number;
  /** Whether no other file may hold the same network: those are attached side by side, by chance. */
  readonly alone: boolean;
}

/** What the extension promises, mostly: a list in `.conflist`, one plugin in the others. */
export function randomConf(random: Random, options: ConfOptions): string {
  const { flannel, fileName, number, alone } = options;
  const asList = fileName.includes('.conflist') === random.unit() < 0.95;
  const kind = random.unit();
  if (asList && !alone && kind < 0.4) return flannelConf(random, flannel);
  if (asList && !alone && kind < 0.55) return ciliumConf(random);
  const name = alone || random.unit() < 0.7 ? `net${number}` : 'net1';
  const network = { cniVersion: version(random), name };
  if (asList) {
    return text(random, { ...network, plugins: [bridge(random, number), ...chained(random)] });
  }
  if (kind < 0.1) return text(random, loopback(random));
  return text(random, { ...network, ...bridge(random, number) });
}

/** Without version it gives a pod an address that no interface but `lo` has; not compared. */
function loopback(random: Random): object {
  return { cniVersion: random.pick(['0.2.0', '0.3.1', '1.0.0']), name: 'lo', type: 'loopback' };
}

export function flannelConf(random: Random, flannel: string): string {
  const old = flannel.startsWith('0.');
  const versions = old
    ? ['0.3.1', '0.4.0', '0.4.0', '1.0.0']
    : ['0.3.1', '1.0.0', '1.0.0', '1.1.0'];
  const delegate = { hairpinMode: true, isDefaultGateway: true };
  const plugins = [{ type: 'flannel', delegate }, portmap()];
  const name = random.pick(['cbr0', 'cbr0', 'cbr1']);
  return text(random, { name, cniVersion: random.pick(versions), plugins });
}

export function ciliumConf(random: Random): string {
  const plugins = [{ type: 'cilium-cni', 'enable-debug': false }];
  return text(random, { cniVersion: random.pick(['0.3.1', '1.0.0']), name: 'cilium', plugins });
}

function bridge(random: Random, number: number): Plugin {
  const subnet = `10.2${number}.0.0/${random.pick([24, 24, 24, 29])}`;
  return {
    type: 'bridge',
    bridge: `tbr${number}`,
    isGateway: true,
    ...(random.unit() < 0.3 ? { isDefaultGateway: true } : {}),
    ...(random.unit() < 0.3 ? { ipMasq: true } : {}),
    ipam: { type: 'host-local', ranges: [[{ subnet }]] },
  };
}

function chained(random: Random): readonly Plugin[] {
  const kind = random.unit();
  if (kind < 0.4) return [portmap()];
  if (kind < 0.6) return [{ type: 'firewall' }];
  if (kind < 0.75) return [{ type: 'tuning' }, portmap()];
  return kind < 0.8 ? [{ type: 'no-such-plugin' }] : [];
}

function portmap(): Plugin {
  return { type: 'portmap', capabilities: { portMappings: true } };
}

function version(random: Random): string {
  return random.pick(random.unit() < 0.05 ? ODD_VERSIONS : VERSIONS);
}

function text(random: Random, conf: object): string {
  return `${JSON.stringify(conf, null, random.pick([2, 0]))}\n`;
}

export function brokenText(random: Random, sound: string): string {
  return random.pick([
    '',
    ' \n',
    '{',
    'null',
    '[]',
    'not json',
    '{"cniVersion":"1.0.0","name":"x"}',
    '{"cniVersion":"1.0.0","name":"x","plugins":[]}',
    '{"cniVersion":"1.0.0","name":"x","plugins":{}}',
    '{"cniVersion":"1.0.0","plugins":[{"type":"bridge"}]}',
    '{"cniVersion":1.0,"name":"x","type":"bridge"}',
    '{"cniVersion":"abc","name":"x","plugins":[{"type":"bridge"}]}',
    '{"name":"x y","cniVersion":"0.4.0","plugins":[{"type":"loopback"}]}',
    '{"name":"x","cniVersion":"0.4.0","plugins":[{"type":""}]}',
    '{"name":"x","cniVersion":"0.4.0","plugins":[{"kind":"bridge"}]}',
    '{"name":"x","cniVersion":"0.4.0","plugins":[{"type":"bridge","ipam":{"type":"host-local"}}]}',
    '{"name":"x","cniVersion":"0.4.0","plugins":[{"type":"bridge"}]}',
    `\uFEFF${sound}`,
    `// a note\n${sound}`,
    sound.slice(0, sound.length / 2),
    sound + sound,
  ]);
}
