import { describe, expect, it } from 'vitest';
import { fakeWorld, nodeNamed } from '../../../test/support/fake-world.ts';
import { settingsOf } from './node-settings.ts';

function settings(config: string): ReturnType<typeof settingsOf> {
  const node = nodeNamed(fakeWorld(['a']), 'a');
  node.machine.patchConfig(config, 'no-reboot');
  return settingsOf(node);
}

const OFF = { forwardsDnsToHost: false, kubePrismPort: undefined };

describe('settings of a node', () => {
  it('are off where nothing is set: defaults exist in generated configs only', () => {
    expect(settings('')).toEqual(OFF);
    expect(settings('version: v1alpha1\nmachine:\n  type: worker\n')).toEqual(OFF);
  });

  it('are read from a long config in block style, other features beside them', () => {
    const text = [
      'version: v1alpha1',
      'machine:',
      '  type: worker',
      '  network:',
      '    hostname: a',
      '  # features: not this one',
      '  features:',
      '    rbac: true',
      '    hostDNS:',
      '      enabled: true',
      '      forwardKubeDNSToHost: true',
      '    kubePrism:',
      '      enabled: true',
      '      port: 7446',
      '  kubelet:',
      '    image: x',
      'cluster:',
      '  network: {}',
    ].join('\n');
    expect(settings(text)).toEqual({ forwardsDnsToHost: true, kubePrismPort: 7446 });
  });

  it('are read from flow style, and need host DNS itself to be on', () => {
    expect(
      settings(
        'machine: {features: {hostDNS: {forwardKubeDNSToHost: true}, kubePrism: {enabled: true}}}',
      ),
    ).toEqual({
      forwardsDnsToHost: false,
      kubePrismPort: 7445,
    });
  });

  it('are read from the documents of 1.14', () => {
    const text = [
      'apiVersion: v1alpha1',
      'kind: KubePrismConfig',
      'port: 7447',
      '---',
      'apiVersion: v1alpha1',
      'kind: ResolverConfig',
      'hostDNS:',
      '  enabled: true',
      '  forwardKubeDNSToHost: true',
      '---',
      'machine:',
      '  type: worker',
    ].join('\n');
    expect(settings(text)).toEqual({ forwardsDnsToHost: true, kubePrismPort: 7447 });
  });

  it('follow the config', () => {
    const node = nodeNamed(fakeWorld(['a']), 'a');
    expect(settingsOf(node)).toEqual(OFF);
    node.machine.patchConfig(
      'machine:\n  features:\n    kubePrism:\n      enabled: true\n',
      'auto',
    );
    expect(settingsOf(node).kubePrismPort).toBe(7445);
  });
});
