import { expect, test } from 'vitest';
import { finding, judged } from '../finding.ts';
import { factsFrom } from '../testing.ts';
import { hazard } from './hazard.ts';

const block = 'kind: NetworkDefaultActionConfig\ningress: block\n';
const rule = (protocol: string, ports: string) =>
  `---\nkind: NetworkRuleConfig\nname: r\nportSelector:\n  ports: [${ports}]\n  protocol: ${protocol}\n`;
const values = 'tunnelPort: 8473\n';

test('only the port of Flannel is open', () => {
  const machineConfigs = [{ text: block + rule('udp', '4789') + rule('tcp', '4240') }];
  expect(hazard.foretell(factsFrom({ values, machineConfigs }))).toEqual(
    judged([
      finding(hazard, {
        certainty: 'proven',
        message:
          'The node blocks what no rule opens, and nothing opens UDP 8473 (the tunnel). Pods of Cilium reach only pods of their own node, or cannot reach the node itself (kubelet, host DNS).',
        evidence: [
          {
            source: 'machineconfig.yaml:2:10',
            file: 'machineconfig.yaml',
            path: 'ingress',
            line: 2,
            column: 10,
            value: 'block',
          },
        ],
        fix: {
          summary: 'Open these on every node before the first one is migrated.',
          patch:
            'apiVersion: v1alpha1\nkind: NetworkRuleConfig\nname: cilium-tunnel\nportSelector:\n  ports: [8473]\n  protocol: udp\ningress:\n  - subnet: <node network>\n---\napiVersion: v1alpha1\nkind: NetworkRuleConfig\nname: cilium-health\nportSelector:\n  ports: [4240]\n  protocol: tcp\ningress:\n  - subnet: <node network>\n',
        },
      }),
    ]),
  );
});

test('a pool outside podSubnets has no rule of its own', () => {
  const machineConfigs = [
    {
      text: block + rule('udp', '8000-9000') + rule('tcp', '4240'),
      facts: { podSubnets: ['10.244.0.0/16'] },
    },
  ];
  const pool = `${values}ipam:\n  operator:\n    clusterPoolIPv4PodCIDRList: [10.245.0.0/16]\n`;
  const [found] = hazard.foretell(factsFrom({ values: pool, machineConfigs })).findings;
  expect(found?.message).toContain('nothing opens traffic from pods of 10.245.0.0/16');
});

test('near miss: all is open', () => {
  const machineConfigs = [{ text: block + rule('udp', '8473') + rule('tcp', '4240') }];
  expect(hazard.foretell(factsFrom({ values, machineConfigs }))).toEqual(judged());
});

test('near miss: the default action accepts', () => {
  const machineConfigs = [{ text: 'kind: NetworkDefaultActionConfig\ningress: accept\n' }];
  expect(hazard.foretell(factsFrom({ values, machineConfigs }))).toEqual(judged());
});

test('unknown: no machine config was read', () => {
  expect(hazard.foretell(factsFrom({ values })).missing).toEqual([
    'Talos machine configs (talosctl get machineconfig -o yaml)',
  ]);
});
