import { describe, expect, it } from 'vitest';
import { failureOf, secretsIn } from './failures.ts';

const code = (stderr: string) => failureOf(stderr, 'upgrade cilium', []).code;

describe('what Helm complains of', () => {
  it.each([
    ['another operation (install/upgrade/rollback) is in progress', 'conflict'],
    ['Kubernetes cluster unreachable: context "nope" does not exist', 'bad-input'],
    [
      'Kubernetes cluster unreachable: Get "https://10.0.0.1:6443/version": dial tcp 10.0.0.1:6443: connect: connection refused',
      'unreachable',
    ],
    [
      'Kubernetes cluster unreachable: Get "https://10.0.0.1:6443/version": tls: failed to verify certificate: x509: certificate signed by unknown authority',
      'untrusted',
    ],
    [
      'Kubernetes cluster unreachable: the server has asked for the client to provide credentials',
      'unauthenticated',
    ],
    [
      'Kubernetes cluster unreachable: Get "https://x/version": getting credentials: exec: executable aws not found',
      'unauthenticated',
    ],
    [
      'query: failed to query with labels: secrets is forbidden: User "ci" cannot list resource "secrets" in API group "" in the namespace "kube-system"',
      'forbidden',
    ],
    ['UPGRADE FAILED: "cilium" has no deployed releases', 'not-found'],
    ['release has no 9 version', 'not-found'],
    ['UPGRADE FAILED: post-upgrade hooks failed: timed out waiting for the condition', 'timeout'],
    [
      'looks like "https://charts.test/" is not a valid chart repository or cannot be reached: Get "https://charts.test/index.yaml": dial tcp: lookup charts.test: no such host',
      'unreachable',
    ],
    [
      'INSTALLATION FAILED: chart "cilium" version "9.9.9" not found in https://x repository',
      'not-found',
    ],
    [
      `values don't meet the specifications of the schema(s) in the following chart(s):\ncilium:\n- at '/a': got string, want array`,
      'refused',
    ],
    // A chart may use any word.
    [
      'UPGRADE FAILED: execution error at (cilium/templates/validate.yaml:1:2): kube-apiserver: connection refused is forbidden: User "x"',
      'refused',
    ],
    [
      'Unable to continue with install: ServiceAccount "cilium" in namespace "kube-system" exists and cannot be imported into the current release: invalid ownership metadata',
      'refused',
    ],
    ['UPGRADE FAILED: Apply failed with 1 conflict: conflict with "kubectl"', 'conflict'],
    ['something new', 'refused'],
  ])('%s is %s', (text, expected) => {
    expect(code(`WARNING: old\nError: ${text}\n`)).toBe(expected);
  });

  it('keeps all lines of the last complaint, and says so when there is none', () => {
    const stderr = "level=WARN msg=x\nError: first\nError: UPGRADE FAILED: values:\n- at '/a'\n\n";
    expect(failureOf(stderr, 'upgrade', []).message).toBe("values:\n- at '/a'");
    expect(failureOf('WARNING: x\n', 'upgrade cilium', []).message).toBe(
      'helm upgrade cilium failed and did not say why',
    );
  });

  it('finds secrets by their keys, at any depth', () => {
    const values = {
      tls: { ca: { key: 'abcdef' } },
      list: [{ token: 'longer-token' }],
      a: 'plain',
    };
    expect(secretsIn(values)).toEqual(['longer-token', 'abcdef']);
  });
});
