/** Alerts as Node's OpenSSL reports them: what a Go server sends when it does not like a client. */
import { describe, expect, it } from 'vitest';
import { tlsProblem } from './tls-problems.ts';

describe('TLS problems', () => {
  it.each([
    [
      'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
      'tlsv13 alert certificate required',
      'is missing',
    ],
    [
      'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA',
      'tlsv1 alert unknown ca',
      'of an authority it does not know',
    ],
    ['ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED', 'certificate expired', 'has expired by its clock'],
    ['ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE', 'sslv3 alert bad certificate', 'is not accepted'],
    ['EPROTO', 'write EPROTO: tlsv1 alert unknown ca', 'of an authority it does not know'],
  ])('tells %s as a fault of our certificate', (code, text, words) => {
    const problem = tlsProblem(code, text, 'home');
    expect(problem).toMatchObject({ code: 'unauthenticated' });
    expect(problem?.message).toContain('our client certificate of context "home"');
    expect(problem?.message).toContain(words);
  });

  it.each([
    ['CERT_HAS_EXPIRED', 'has expired'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'an authority that is not the talosconfig’s'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'is not for this address'],
  ])('tells %s as a fault of theirs', (code, words) => {
    const problem = tlsProblem(code, '', 'home');
    expect(problem).toMatchObject({ code: 'unreachable' });
    expect(problem?.message).toContain(words);
  });

  it('leaves what is no fault of a certificate', () => {
    expect(tlsProblem('ECONNREFUSED', 'connect ECONNREFUSED', 'home')).toBeUndefined();
    expect(
      tlsProblem('ERR_SSL_WRONG_VERSION_NUMBER', 'wrong version number', 'home'),
    ).toBeUndefined();
  });
});
