interface Explained {
  readonly title: string;
  /** What happened and what to do about it, for the person who wanted to sign in. */
  readonly advice: string;
}

/** Why a sign-in through a provider came to nothing. Never says anything about an account that is not the reader's own. */
export const SIGN_IN_PROBLEMS = {
  denied: {
    title: 'You did not agree to sign in',
    advice: 'Nothing was done and nothing about you was read. Try again if that was a slip.',
  },
  unknown: {
    title: 'This browser did not begin that sign-in',
    advice:
      'Begin and end it in the same browser, with cookies allowed, and use each link once. If you came here by the back button, you may be signed in already.',
  },
  used: {
    title: 'That sign-in was used already',
    advice: 'Each is good once. If you came here by the back button, you may be signed in already.',
  },
  expired: { title: 'That sign-in took too long', advice: 'It has to be done within five minutes. Try again.' },
  refused: {
    title: 'The sign-in was refused over there',
    advice: 'Try again. If it is refused once more, write to whoever runs this service.',
  },
  invalid: {
    title: 'The answer could not be trusted',
    advice: 'So nobody was signed in. Try again. If it happens once more, write to whoever runs this service.',
  },
  unreachable: {
    title: 'The other side does not answer',
    advice: 'It may be down for a moment. Wait a little, then try again.',
  },
  misconfigured: {
    title: 'This sign-in is not set up rightly',
    advice: 'Trying again will not help. Write to whoever runs this service; their log says what is wrong.',
  },
  not_configured: {
    title: 'There is no such sign-in here',
    advice: 'Whoever runs this service has not set it up. Use another way to sign in.',
  },
  signed_out: {
    title: 'You are not signed in any more',
    advice:
      'To link an identity, or to show once more who you are, you have to stay signed in. Sign in and begin again.',
  },
  taken: {
    title: 'This identity belongs to another account',
    advice: 'It cannot be linked here, and accounts are never merged. Sign in with it to see that account.',
  },
  other_account: {
    title: 'That is no identity of this account',
    advice: 'To show once more who you are, use one that is linked to the account you are signed in to.',
  },
  closed: { title: 'This account is closed', advice: 'Write to whoever runs this service.' },
} as const satisfies Readonly<Record<string, Explained>>;

export type SignInProblem = keyof typeof SIGN_IN_PROBLEMS;

export const isSignInProblem = (text: string): text is SignInProblem => Object.hasOwn(SIGN_IN_PROBLEMS, text);
