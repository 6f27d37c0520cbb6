/** What a session id looks like. */

/** Is it a session id of ours? Older stores hold ids of 8 to 40 letters and digits. */
export function isSessionId(text: string): boolean {
  return /^ses_[a-z0-9]{8,40}$/.test(text);
}
