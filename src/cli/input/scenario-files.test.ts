/**
 * Scenario files among the files a user gives. Goals: constants are set by name and reach the twin and
 * the report; a wrong name or value is one error with its place; other files are left alone.
 */
import { describe, expect, it } from 'vitest';
import type { RegaugeError } from '../../base/errors.ts';
import type { TextFile } from '../../drivers/files/read-files.ts';
import { EMPTY_INPUT } from '../../model/cluster-input.ts';
import { buildWorld } from '../../twin/scenario/build-world.ts';
import { scenarioIn, withScenario } from './scenario-files.ts';

const CLUSTER = [
  'kind: ClusterSpec',
  'name: small',
  'versions: {talos: 1.10.2, kubernetes: 1.33.0}',
  'network: {endpoint: "https://10.0.0.9:6443"}',
  'machine: {}',
  'nodes: {prefix: t, controlPlanes: 1, workers: 1, firstAddress: 10.0.0.10}',
  'constants: {sandboxRetryMs: 20000, rebootMs: 90000}',
].join('\n');

const file = (text: string, path = 'scenario.yaml'): TextFile => ({ path, text, named: true });

function refusal(text: string): RegaugeError {
  try {
    scenarioIn([file(text)]);
  } catch (error) {
    return error as RegaugeError; // the only error that reading throws
  }
  throw new Error('nothing was refused');
}

describe('constants of a scenario', () => {
  it('come from a ClusterSpec, from a document of their own, and the latter wins', () => {
    const own = 'kind: TwinConstants\nconstants:\n  rebootMs: 30000\n';
    const scenario = scenarioIn([file(CLUSTER, 'cluster.yaml'), file(own)]);
    const input = withScenario(EMPTY_INPUT, scenario);
    expect(input.constants).toEqual({ sandboxRetryMs: 20_000, rebootMs: 30_000 });
    const { world, assumptions } = buildWorld(input, { seed: 1 });
    expect(world.constants).toMatchObject({ sandboxRetryMs: 20_000, rebootMs: 30_000 });
    expect(assumptions.filter(({ about }) => about.startsWith('constant '))).toEqual([
      {
        about: 'constant sandboxRetryMs',
        assumed: '20000 ms instead of 10000 ms',
        because: expect.stringMatching(
          /^the scenario sets it \(its own source: KK pod_workers\.go/,
        ),
      },
      expect.objectContaining({ assumed: '30000 ms instead of 75000 ms' }),
    ]);
  });

  it('are none when nobody sets any, and nothing is assumed then', () => {
    const spec = CLUSTER.split('\n').slice(0, -1).join('\n');
    const input = withScenario(EMPTY_INPUT, scenarioIn([file(spec)]));
    expect(input.constants).toBeUndefined();
    const { assumptions } = buildWorld(input, { seed: 1 });
    expect(assumptions.filter(({ about }) => about.startsWith('constant '))).toEqual([]);
  });

  it.each([
    ['a name that is none', '  sandboxRetyMs: 5', 'constants: unrecognized key', 3, 3],
    ['text for a number', '  sandboxRetryMs: soon', 'constants.sandboxRetryMs: invalid', 3, 19],
    ['a negative time', '  apiCallMs: -4', 'constants.apiCallMs: too small', 3, 14],
    ['a fraction of a millisecond', '  apiCallMs: 0.5', 'constants.apiCallMs: invalid', 3, 14],
    [
      'a ratio above one',
      '  unhealthyZoneRatio: 55',
      'constants.unhealthyZoneRatio: too big',
      3,
      23,
    ],
  ])('%s is refused where it stands', (_what, line, message, at, column) => {
    const error = refusal(`kind: TwinConstants\nconstants:\n${line}\n`);
    expect(error.code).toBe('bad-input');
    expect(error.message).toContain(message);
    expect(error.source).toMatchObject({ file: 'scenario.yaml', line: at, column });
    expect(error.hint).toContain('regauge schema TwinConstants');
  });

  it('in a ClusterSpec are refused the same way', () => {
    const error = refusal(CLUSTER.replace('rebootMs', 'bootMs'));
    expect(error.message).toContain('"bootMs"');
    expect(error.source).toMatchObject({ line: 7, column: 36 });
  });
});

describe('files of a scenario', () => {
  it('are told from manifests of other kinds', () => {
    const manifest = file('kind: ConfigMap\ndata:\n  a: "kind: ClusterSpec"\n', 'cm.yaml');
    const { files, cluster } = scenarioIn([manifest, file(CLUSTER)]);
    expect(files).toEqual([manifest]);
    expect(cluster?.objects.some(({ object }) => object.kind === 'Node')).toBe(true);
  });

  it('tell of one cluster', () => {
    expect(() => scenarioIn([file(CLUSTER), file(CLUSTER, 'other.yaml')])).toThrow(
      'another cluster spec',
    );
  });

  it('may be broken YAML, which is told with its line', () => {
    const error = refusal('kind: ClusterSpec\nname: [\n');
    expect(error.source?.line).toBe(3);
  });
});
