import type { Transporter } from 'nodemailer';
import { MailNotSent, type Mailer } from './ports.ts';

export interface SmtpOptions {
  /** `smtp://` or `smtps://`, with user and password where the server wants them. */
  readonly url: string;
  readonly from: string;
  /** Whether a server that offers no encryption is refused. */
  readonly mustEncrypt: boolean;
}

const TIMEOUT_MS = 20_000;

/** Mail over SMTP. The library is loaded, and the server looked for, with the first mail. */
export function smtpMailer({ url, from, mustEncrypt }: SmtpOptions): Mailer {
  const address = new URL(url);
  const isEncrypted = address.protocol === 'smtps:';
  let transport: Transporter | null = null;
  const open = async (): Promise<Transporter> => {
    const { createTransport } = await import('nodemailer');
    return createTransport({
      host: address.hostname.replace(/^\[(.*)\]$/, '$1'),
      port: address.port === '' ? (isEncrypted ? 465 : 587) : Number(address.port),
      secure: isEncrypted,
      requireTLS: mustEncrypt && !isEncrypted,
      ...(address.username === ''
        ? {}
        : { auth: { user: decodeURIComponent(address.username), pass: decodeURIComponent(address.password) } }),
      connectionTimeout: TIMEOUT_MS,
      greetingTimeout: TIMEOUT_MS,
      socketTimeout: TIMEOUT_MS,
      // Texts are texts: nothing in them makes the library read a file or fetch an address.
      disableFileAccess: true,
      disableUrlAccess: true,
    });
  };
  return {
    async send({ to, subject, text, html, id }) {
      transport ??= await open();
      try {
        await transport.sendMail({
          from,
          // As an object: an address is one address, also with a comma in it.
          to: { name: '', address: to },
          subject,
          text,
          html,
          messageId: `<${id}@${from.slice(from.indexOf('@') + 1)}>`,
          headers: { 'Auto-Submitted': 'auto-generated' },
        });
      } catch (error) {
        throw notSent(error);
      }
    },
  };
}

/** A 5xx about the mail is final; about us (535: the password) it is not, because an operator puts that right. */
function notSent(error: unknown): MailNotSent {
  const code = error instanceof Error && 'responseCode' in error ? Number(error.responseCode) : 0;
  const isFinal = code >= 550 && code < 560;
  const kind = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
  return new MailNotSent(isFinal, code > 0 ? `the mail server answered ${code}` : `the mail server failed (${kind})`, {
    cause: error,
  });
}
