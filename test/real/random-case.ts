/**
 * Random cases: a conf directory as people leave them, binaries that may be missing, and a sequence
 * of what happens to a node. Nothing here knows how any of it should end.
 */
import { Random } from '../../src/base/random.ts';
import type { BinarySetup, FileSetup, Step, TruthCase } from '../truth/cases.ts';
import { brokenText, ciliumConf, flannelConf, randomConf } from './random-conf.ts';

const NAMES = [
  '05-cilium.conflist',
  '10-flannel.conflist',
  '10-flannel.conflist',
  '05-cilium.conflist',
  '10-net.conf',
  '10-net.conflist',
  '10-Net.json',
  '100-crio-bridge.conflist',
  '5-first.conf',
  '87-podman.conflist',
  '99-loopback.conf',
  '.05-hidden.conflist',
  ' 10-space.conf',
  '10-flannel.conflist.cilium_bak',
  '10-net.conflist~',
  '20-x.CONFLIST',
  'Z.json',
];
const PLUGINS = ['bridge', 'host-local', 'loopback', 'portmap', 'firewall', 'flannel', 'tuning'];
const PODS = ['A', 'B', 'C', 'D', 'E'];
const BROKEN: readonly BinarySetup[] = [
  'absent',
  'absent',
  'garbage',
  { script: 'exit 1' },
  { script: 'echo \'{"code":11,"msg":"try again later","details":"starting"}\'; exit 1' },
  { script: 'exit 0', mode: '644' },
];
const SUBNET_ENV = '/run/flannel/subnet.env';
const AGENT = '/run/cilium/cilium.sock';
const ENV = `FLANNEL_NETWORK=10.244.0.0/16
FLANNEL_SUBNET=10.244.1.1/24
FLANNEL_MTU=1450
FLANNEL_IPMASQ=true
`;

/** `internalLoopback`: whether the runtime has that setting, as from 2.0 on. */
export function randomCase(
  seed: number,
  { flannel, internalLoopback }: { readonly flannel: string; readonly internalLoopback: boolean },
): TruthCase {
  return new Maker(new Random(seed), flannel).make(seed, internalLoopback);
}

class Maker {
  private readonly random: Random;
  private readonly flannel: string;
  /** More than one network at once; where they share something, chance decides. */
  private readonly several: boolean;
  private confs = 0;
  /** What the directory holds, so that operations find their files. */
  private readonly present = new Set<string>();
  private readonly links = new Set<string>();

  constructor(random: Random, flannel: string) {
    this.random = random;
    this.flannel = flannel;
    this.several = !this.chance(0.75);
  }

  make(seed: number, hasInternalLoopback: boolean): TruthCase {
    const files: Record<string, FileSetup> = {};
    for (let count = this.random.pick([0, 1, 1, 2, 2, 3, 4]); count > 0; count -= 1) {
      const name = this.random.pick(NAMES);
      files[name] = this.file(name);
    }
    const binaries = this.binaries();
    const runtimeFiles = {
      [SUBNET_ENV]: this.subnetEnv(),
      [AGENT]: this.chance(0.8) ? '' : 'absent',
    };
    const maxConfNum = this.several ? this.random.pick([0, 2, 3]) : 1;
    const internalLoopback = this.chance(0.2) && hasInternalLoopback;
    return {
      id: `random-${seed}`,
      group: 'random',
      description: 'a random directory and sequence',
      setup: {
        files,
        outside: { '/etc/cni/elsewhere/real': this.text('real.conflist') },
        binaries,
        runtimeFiles,
        runtimeConfig: { maxConfNum, internalLoopback },
      },
      observed: {},
      steps: this.steps(),
    };
  }

  private chance(probability: number): boolean {
    return this.random.unit() < probability;
  }

  private file(name: string): FileSetup {
    this.present.add(name);
    const kind = this.random.unit();
    if (kind < 0.06) {
      this.links.add(name);
      const target = this.random.pick(['/etc/cni/elsewhere/real', '/nowhere', '/dev/null', name]);
      return { type: 'symlink', target };
    }
    return this.text(name);
  }

  /** What the name promises, mostly. */
  private text(name: string): string {
    this.confs += 1;
    const sound = this.soundText(name);
    return this.chance(0.1) ? brokenText(this.random, sound) : sound;
  }

  private soundText(fileName: string): string {
    const { random, flannel, several } = this;
    if (fileName === '05-cilium.conflist' && (several || this.chance(0.8))) {
      return ciliumConf(random);
    }
    if (fileName === '10-flannel.conflist' && several) return flannelConf(random, flannel);
    const number = several ? this.confs : random.between(1, 4);
    return randomConf(random, { flannel, fileName, number, alone: several });
  }

  private binaries(): Record<string, BinarySetup> {
    const found: Record<string, BinarySetup> = { 'cilium-cni': 'cilium-emulated' };
    for (const name of PLUGINS) found[name] = 'real';
    if (this.chance(0.6)) return found;
    const name = this.random.pick([...PLUGINS, 'cilium-cni']);
    found[name] = this.random.pick(BROKEN);
    // One that fails as it runs would race with another that does.
    const races = name === 'loopback' || this.several;
    if (races) found[name] = 'absent';
    return found;
  }

  private subnetEnv(): string {
    const kind = this.random.unit();
    if (kind < 0.8) return ENV;
    if (kind < 0.88) return 'absent';
    if (kind < 0.92) return ENV.replace(/FLANNEL_MTU.*\n/, '');
    return kind < 0.97 ? ENV.replace('10.244.1.1/24', '10.244.9.1/29') : '';
  }

  // ---------------------------------------------------------------- steps

  private steps(): readonly Step[] {
    const steps: Step[] = [{ op: 'status', label: 'start' }, this.run('A')];
    for (let count = this.random.between(5, 14); count > 0; count -= 1) steps.push(...this.move());
    for (const pod of PODS) steps.push({ op: 'stop', pod });
    return [
      ...steps,
      { op: 'status', label: 'end' },
      { op: 'ipam', label: 'end' },
      { op: 'list', label: 'end' },
      { op: 'hostportRules', label: 'end' },
    ];
  }

  private move(): readonly Step[] {
    const kind = this.random.unit();
    const pod = this.random.pick(PODS);
    if (kind < 0.33) return [this.run(pod)];
    if (kind < 0.41) return [{ op: 'stop', pod }];
    if (kind < 0.48) return [{ op: 'removePod', pod }, { op: 'ipam' }];
    if (kind < 0.72) return [this.change(), { op: 'status' }];
    if (kind < 0.8) return [this.binary()];
    if (kind < 0.87) return [this.runtimeFile()];
    if (kind < 0.92) return [{ op: 'restartRuntime' }, { op: 'status' }];
    if (kind < 0.97) return [{ op: 'reboot' }, { op: 'status' }, { op: 'list' }];
    return [{ op: 'podStatus', pod }];
  }

  private run(pod: string): Step {
    if (this.chance(0.07)) return { op: 'run', pod, hostNetwork: true };
    if (!this.chance(0.3)) return { op: 'run', pod };
    const port = this.random.pick([8080, 8081]);
    const mapping = { protocol: 'TCP', container_port: 80, host_port: port, host_ip: '' };
    return { op: 'run', pod, portMappings: [mapping] };
  }

  private binary(): Step {
    const name = this.random.pick([...PLUGINS, 'cilium-cni']);
    if (this.chance(0.4)) return { op: 'binary', action: 'remove', name };
    const what = name === 'cilium-cni' ? 'cilium-emulated' : 'real';
    return { op: 'binary', action: 'install', name, what };
  }

  private runtimeFile(): Step {
    const path = this.random.pick([SUBNET_ENV, AGENT]);
    if (this.chance(0.5)) return { op: 'runtimeFile', action: 'remove', path };
    return { op: 'runtimeFile', action: 'write', path, content: path === AGENT ? '' : ENV };
  }

  private change(): Step {
    const there = [...this.present].filter((name) => !this.links.has(name));
    const kind = there.length === 0 ? 0 : this.random.unit();
    if (kind < 0.35) return this.write();
    const name = this.random.pick(there);
    if (kind < 0.55) return this.rename(name);
    if (kind < 0.65) {
      this.present.delete(name);
      return { op: 'fs', action: 'rename-out', from: name };
    }
    if (kind < 0.82) {
      this.present.delete(name);
      return { op: 'fs', action: 'remove', name };
    }
    return { op: 'fs', action: this.random.pick(['chmod', 'touch', 'create-empty']), name };
  }

  private write(): Step {
    const name = this.random.pick(NAMES);
    const isNew = !this.present.has(name) && !this.several;
    if (this.links.has(name)) return { op: 'fs', action: 'write', name: 'note', content: 'x' };
    this.present.add(name);
    const kind = this.random.unit();
    if (kind < 0.15 && isNew) return { op: 'fs', action: 'rename-in', to: name };
    if (kind < 0.25 && isNew) return { op: 'fs', action: 'link', name };
    if (kind < 0.35 && isNew) {
      this.links.add(name);
      return { op: 'fs', action: 'symlink', name };
    }
    return { op: 'fs', action: 'write', name, content: this.text(name) };
  }

  private rename(from: string): Step {
    const free = NAMES.filter((name) => !this.present.has(name));
    const to = this.random.pick(free.length === 0 ? [`${from}.bak`] : free);
    this.present.delete(from);
    this.present.add(to);
    return { op: 'fs', action: 'rename', from, to };
  }
}
