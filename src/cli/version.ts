/** The version, set by scripts/build.mjs; sources that run unbuilt say so. */
export const VERSION = process.env['REGAUGE_VERSION'] ?? '0.0.0-unbuilt';
