/** Where the talosconfig is looked for, what it says, and that its key stays out of every message. */
import { describe, expect, it } from 'vitest';
import { findTalosconfig, readTalosContext, talosconfigPaths } from './talosconfig.ts';

const SECRET = 'c2VjcmV0LWtleS1ieXRlcw';

function pem(label: string): string {
  const text = `-----BEGIN ${label}-----\n${SECRET}\n-----END ${label}-----\n`;
  return Buffer.from(text).toString('base64');
}

function config(lines: readonly string[]): { path: string; text: string } {
  const identity = [`ca: ${pem('CERTIFICATE')}`, `crt: ${pem('CERTIFICATE')}`];
  const key = `key: ${pem('ED25519 PRIVATE KEY')}`;
  const all = [
    'context: home',
    'contexts:',
    '  home:',
    ...[...identity, key].map(indent),
    ...lines,
  ];
  return { path: '/t/config', text: all.join('\n') };
}

function indent(line: string): string {
  return `    ${line}`;
}

function paths(env: Record<string, string>): readonly string[] {
  return talosconfigPaths({ env, homeDirectory: '/home/a' });
}

function onlyAtHome(path: string): string | undefined {
  return path === '/home/a/.talos/config' ? 'context: x' : undefined;
}

function refusalOf(action: () => unknown): { message: string; hint: string } {
  try {
    action();
  } catch (error) {
    if (error instanceof Error) {
      return { message: error.message, hint: 'hint' in error ? String(error.hint) : '' };
    }
  }
  throw new Error('it was not refused');
}

describe('talosconfig', () => {
  it('is looked for where talosctl looks', () => {
    const last = '/var/run/secrets/talos.dev/config';
    expect(paths({})).toEqual(['/home/a/.talos/config', last]);
    expect(paths({ TALOS_HOME: '/t' })).toEqual(['/t/config', last]);
    expect(paths({ TALOS_HOME: 'relative' })).toEqual(['/home/a/.talos/config', last]);
    expect(paths({ TALOSCONFIG: './x' })).toEqual(['./x', '/home/a/.talos/config', last]);
  });

  it('takes the first that exists, and says where it looked', () => {
    const sources = { env: { TALOSCONFIG: '/none' }, homeDirectory: '/home/a' };
    expect(findTalosconfig({ ...sources, readFile: onlyAtHome }).path).toBe(
      '/home/a/.talos/config',
    );
    const { message } = refusalOf(() => findTalosconfig({ ...sources, readFile: () => undefined }));
    expect(message).toContain('/none or /home/a/.talos/config or /var/run');
  });

  it('relabels the key as OpenSSL knows it, and prefers what was asked for', () => {
    const file = config(['    endpoints: [10.0.0.1]', '    nodes: [10.0.0.2]']);
    const context = readTalosContext(file);
    expect(context.key).toContain('-----BEGIN PRIVATE KEY-----');
    expect(context.key).not.toContain('ED25519');
    expect(context).toMatchObject({ endpoints: ['10.0.0.1'], nodes: ['10.0.0.2'] });
    const chosen = readTalosContext(file, { endpoints: ['e'], nodes: ['n'] });
    expect(chosen).toMatchObject({ endpoints: ['e'], nodes: ['n'] });
  });

  it('takes the nodes for endpoints where there are none, as talosctl does', () => {
    expect(readTalosContext(config(['    nodes: [10.0.0.2]'])).endpoints).toEqual(['10.0.0.2']);
    expect(readTalosContext(config(['    target: 10.0.0.9'])).endpoints).toEqual(['10.0.0.9']);
  });

  it('names the contexts there are', () => {
    const file = config(['    endpoints: [a]']);
    const { message, hint } = refusalOf(() => readTalosContext(file, { context: 'work' }));
    expect(message).toContain('has no context "work"');
    expect(hint).toBe('it has: home');
  });

  it.each([
    ['no endpoints', config([]), 'has no endpoints'],
    ['a proxy', config(['    endpoints: [a]', '    proxy-url: http://p']), 'has a proxy-url'],
    [
      'another form',
      { path: '/t/config', text: 'context: a\ncontexts:\n  a:\n    endpoints: 7\n' },
      'contexts.a.endpoints is of another form',
    ],
    [
      'Omni',
      {
        path: '/t/config',
        text: 'context: a\ncontexts:\n  a:\n    endpoints: [x]\n    auth:\n      siderov1:\n        identity: me\n',
      },
      'has no client certificate',
    ],
    [
      'a broken key',
      {
        path: '/t/config',
        text: config(['    endpoints: [a]']).text.replace(/key: .*/, `key: ${SECRET}`),
      },
      'key is no base64 of a PEM PRIVATE KEY',
    ],
    ['no YAML', { path: '/t/config', text: `key: "${SECRET}\n  - :` }, 'is no YAML'],
  ])('refuses %s in one message that quotes no key', (_name, file, words) => {
    const { message, hint } = refusalOf(() => readTalosContext(file));
    expect(message).toContain(words);
    expect(message + hint).not.toContain(SECRET);
  });
});
