/** Why the lane cannot run here; a plain word for a person, and no failure. */
export class Skipped extends Error {}
