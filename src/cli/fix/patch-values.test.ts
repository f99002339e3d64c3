/** What a patch makes of a values file, as a person would have typed it in. */
import { expect, it } from 'vitest';
import { patchedValues } from './patch-values.ts';

const VALUES = `# wanted
kubeProxyReplacement: strict # as ever
bpf:
  masquerade: true
  hostLegacyRouting: false
`;

it('changes what it names, adds what is not there, and keeps the rest with its comments', () => {
  expect(
    patchedValues(
      VALUES,
      'kubeProxyReplacement: true\nbpf:\n  masquerade: false\ncni:\n  exclusive: true\n',
    ),
  ).toBe(`# wanted
kubeProxyReplacement: true # as ever
bpf:
  masquerade: false
  hostLegacyRouting: false
cni:
  exclusive: true
`);
});

it('takes away what it sets to null', () => {
  expect(patchedValues(VALUES, 'bpf:\n  masquerade: null\n')).not.toContain('masquerade');
});

it('fills an empty file', () => {
  expect(patchedValues('', 'tunnelPort: 8473\n')).toBe('tunnelPort: 8473\n');
});

it.each([
  ['a file that is no YAML', 'a: [', 'b: 1\n'],
  ['a file that is a list', '- a\n', 'b: 1\n'],
  ['a patch that is no mapping', VALUES, '- b\n'],
])('does nothing with %s', (_what, text, patch) => {
  expect(patchedValues(text, patch)).toBeUndefined();
});
