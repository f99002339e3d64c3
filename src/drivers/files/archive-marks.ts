/** The first bytes by which archives are told; apart from their readers, which few runs need. */

export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b;
}

/** POSIX and GNU tar carry `ustar` at byte 257 of the first header. */
export function isTar(bytes: Uint8Array): boolean {
  return Buffer.from(bytes.subarray(257, 262)).toString('latin1') === 'ustar';
}
