/** Thrown by an engine for what it lacks, as opposed to what fails. */
export class Cannot extends Error {}
