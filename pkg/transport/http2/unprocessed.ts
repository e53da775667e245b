/** The request did not reach the application: it is safe to send again elsewhere, whatever it was. */
export class Unprocessed extends Error {}
