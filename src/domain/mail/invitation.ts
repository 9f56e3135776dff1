import { fill, WORDS, type Language } from '../language/language.ts';
import { htmlOf, oneLine, type Letter } from './compose.ts';

/** The mail to somebody who is invited to an organisation: they may be nobody's user yet. Its name is text, whatever is in it. */
export function composeInvitation(about: {
  readonly language: Language;
  readonly organisation: string;
  readonly days: number;
  readonly link: string;
}): Letter {
  const { language, link } = about;
  const words = WORDS[language];
  const values = { organisation: oneLine(about.organisation), days: String(about.days) };
  const paragraphs = [fill(words.mail_invited_why, values), fill(words.mail_invited_until, values)];
  const ending = words.mail_invited_ending;
  return {
    subject: words.mail_invited,
    text: [...paragraphs, link, ending].join('\n\n'),
    html: htmlOf(language, paragraphs, { link, ending }),
  };
}
