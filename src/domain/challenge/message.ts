export interface ChallengeMessage {
  readonly challengeSid: string;
  readonly publicUrl: string;
  readonly address: string;
  readonly code: string;
  readonly minutes: number;
}

/** What a node gets. Its last line is for programs; it does not hold the number, so sent back as it is it proves nothing. */
export function messageText({ challengeSid, publicUrl, address, code, minutes }: ChallengeMessage): string {
  return [
    `Somebody says at ${publicUrl} that they are the node ${address}. If that is you, type this code there:`,
    '',
    `    ${code}`,
    '',
    'Or reply with the code, a space, and the four digits that you are shown there.',
    '',
    `The code is good for ${minutes} minutes. If you have not asked for it, do nothing. Give it to nobody: whoever has it comes in as you.`,
    '',
    `hero-onboarding challenge ${challengeSid} code ${code}`,
  ].join('\n');
}

/** The code in such a message; null: it belongs to another challenge, or is something else. */
export function codeInMessage(text: string, challengeSid: string): string | null {
  const [, sid, code] =
    /^hero-onboarding challenge ([0-9A-Z]{26}) code ([0-9A-Z-]{12,20})$/m.exec(text.slice(0, 4_096)) ?? [];
  return sid === challengeSid && code !== undefined ? code : null;
}
