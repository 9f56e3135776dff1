import { createServer, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';

export interface SmtpServer {
  readonly url: string;
  /** What was taken in: the envelope as it was commanded, and the message as it came. */
  readonly taken: { readonly from: string; readonly to: string[]; readonly message: string }[];
  /** What the next recipients are answered instead of 250. */
  answerRecipients(line: string | null): void;
  close(): Promise<void>;
}

/** A mail server that speaks as much of SMTP as it takes to be given a mail. */
export async function openSmtpServer(): Promise<SmtpServer> {
  const taken: SmtpServer['taken'] = [];
  const sockets = new Set<Socket>();
  let recipientAnswer: string | null = null;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    let buffered = '';
    let isMessage = false;
    let from = '';
    let to: string[] = [];
    const say = (line: string): void => void socket.write(`${line}\r\n`);
    const hear = (line: string): void => {
      if (/^(EHLO|HELO)/i.test(line)) return say('250 mail.test');
      if (/^MAIL FROM/i.test(line)) {
        from = line;
        to = [];
        return say('250 ok');
      }
      if (/^RCPT TO/i.test(line)) {
        if (recipientAnswer === null) to.push(line);
        return say(recipientAnswer ?? '250 ok');
      }
      if (/^DATA/i.test(line)) {
        isMessage = true;
        return say('354 go on');
      }
      if (/^QUIT/i.test(line)) {
        say('221 bye');
        return void socket.end();
      }
      return say('250 ok');
    };
    say('220 mail.test');
    socket.on('data', (chunk) => {
      buffered += chunk.toString('utf8');
      for (;;) {
        const end = isMessage ? buffered.indexOf('\r\n.\r\n') : buffered.indexOf('\r\n');
        if (end < 0) return;
        const part = buffered.slice(0, end);
        buffered = buffered.slice(end + (isMessage ? 5 : 2));
        if (!isMessage) {
          hear(part);
          continue;
        }
        isMessage = false;
        taken.push({ from, to, message: part });
        say('250 taken');
      }
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  // A server that listens on a port has an address with a port.
  const { port } = server.address() as AddressInfo;
  return {
    url: `smtp://127.0.0.1:${port}`,
    taken,
    answerRecipients: (line) => void (recipientAnswer = line),
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}
